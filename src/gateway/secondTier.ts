import type { Entry } from '../cache/entry.ts';
import type { FlushScope } from '../cache/store.ts';

/** A second tier of stored answers: a file, or something that other processes share too. It throws nothing. */
export interface SecondTier {
  readonly up: boolean;
  get(space: string, key: string): Entry | null;
  put(space: string, entry: Entry): boolean;
  note(name: string): string | null;
  setNote(name: string, text: string): void;
  flush(space: string, scope: FlushScope): Promise<number>;
}
