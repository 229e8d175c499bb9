import { readFile } from 'node:fs/promises';
import type { HighWater } from '../snapshot/lineage.ts';
import { canonicalText } from '../snapshot/canonical.ts';
import { writeWhole } from './atomic.ts';
import { StoreFault } from './fault.ts';

const isSeen = (value: unknown): value is Record<string, HighWater> =>
  typeof value === 'object' && value !== null &&
  Object.values(value).every((one: Partial<HighWater> | null) => Number.isSafeInteger(one?.sequence) && typeof one?.id === 'string');

/** Highest snapshot of each chain that was ever seen, in a file beside the trust file: an old state of the store shows against it. */
export class SeenFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async of(chain: string): Promise<HighWater | null> {
    return (await this.#read())[chain] ?? null;
  }

  /** Notes a snapshot unless a higher one is known. */
  async note(chain: string, seen: HighWater): Promise<void> {
    const all = await this.#read();
    if ((all[chain]?.sequence ?? 0) < seen.sequence) await writeWhole(this.#path, canonicalText({ ...all, [chain]: seen }));
  }

  async #read(): Promise<Record<string, HighWater>> {
    const text = await readFile(this.#path, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '{}';
      throw error;
    });
    let all: unknown;
    try {
      all = JSON.parse(text);
    } catch {
      throw new StoreFault('malformed', `${this.#path}: is not JSON`);
    }
    if (isSeen(all)) return all;
    throw new StoreFault('malformed', `${this.#path}: needs sequence and id for each chain`);
  }
}
