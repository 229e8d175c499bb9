import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemFault } from './fault.ts';
import { PARTIAL, writeWhole } from './atomic.ts';

/** Holds a snapshot in the store. */
export interface Pin {
  readonly id: string;
  /** Of the holder. */
  readonly name: string;
  /** Who holds it, such as `restore of node a` or `mounted`. */
  readonly reason: string;
}

const PIN = /^[0-9a-f]{64}\..{1,100}$/;

/** Pins as files: a snapshot with one is neither pruned nor collected. */
export class PinFolder {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** @param name of the holder: lower-case letters, digits and dashes */
  async pin(id: string, name: string, reason: string): Promise<void> {
    await writeWhole(join(this.#root, `${id}.${name}`), reason);
  }

  async unpin(id: string, name: string): Promise<void> {
    await rm(join(this.#root, `${id}.${name}`), { force: true });
  }

  async list(): Promise<Pin[]> {
    const names = await readdir(this.#root).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw systemFault(error, this.#root);
    });
    const read = async (name: string): Promise<Pin | null> => {
      const path = join(this.#root, name);
      try {
        return { id: name.slice(0, 64), name: name.slice(65), reason: await readFile(path, 'utf8') };
      } catch (error) {
        // let go of meanwhile
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw systemFault(error, path);
      }
    };
    const pins = await Promise.all(names.filter((name) => PIN.test(name) && !name.endsWith(PARTIAL)).map(read));
    return pins.filter((pin) => pin !== null);
  }
}
