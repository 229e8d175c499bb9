import { appendFileSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from './folder.ts';

/** One thing that was done, or found. */
export interface JournalEntry {
  /** ISO time. */
  readonly at: string;
  readonly chain: string;
  /** '' = it is about the whole chain. */
  readonly node: string;
  /** `chain`: what holds for the whole chain, and forbids steps, began or ended; `verdict`: what ails it changed; `step`: one step; `operation`: the end of one; `human`: a call; `operator`: somebody's wish; `edge`: the gateway keeps it out, by its own judgement; `snapshot`: a snapshot was taken, restored for a drill, booted before it replaces data, or its tree hashed. */
  readonly kind: 'chain' | 'verdict' | 'step' | 'operation' | 'human' | 'operator' | 'edge' | 'snapshot';
  readonly what: string;
  /** One sentence. */
  readonly why: string;
  readonly outcome: 'ok' | 'failed' | 'dropped';
  /** Of the step or the whole operation; absent for what takes none. */
  readonly durationMs?: number;
  /** What a failed step said. */
  readonly error?: string;
}

export interface JournalLimits {
  /** A file that has grown beyond is set aside. */
  readonly maxBytes: number;
  readonly kept: number;
}

/** An append-only record on disk, one JSON object a line; grown files are set aside as `<path>.1` and on. */
export class Journal {
  readonly #path: string;
  readonly #limits: JournalLimits;

  /** @throws Error when the directory cannot be made */
  constructor(path: string, limits: JournalLimits) {
    this.#path = path;
    this.#limits = limits;
    makeFolder(dirname(path), 0o700);
  }

  /** @throws Error when it cannot be written */
  add(entry: JournalEntry): void {
    if (this.#size() > this.#limits.maxBytes) this.#setAside();
    appendFileSync(this.#path, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  }

  /** The newest entries of the current file and the one before, oldest first. Torn lines are left out. */
  last(limit: number): readonly JournalEntry[] {
    const lines = [`${this.#path}.1`, this.#path].flatMap((path) => textOf(path).split('\n'));
    const entries = lines.slice(-2 * limit - 1).map(entryOf).filter((entry) => entry !== null);
    return limit > 0 ? entries.slice(-limit) : [];
  }

  #size(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }

  #setAside(): void {
    for (let i = this.#limits.kept - 1; i >= 1; i--) move(`${this.#path}.${i}`, `${this.#path}.${i + 1}`);
    move(this.#path, `${this.#path}.1`);
  }
}

function move(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, to);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function entryOf(line: string): JournalEntry | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as JournalEntry) : null;
  } catch {
    return null;
  }
}
