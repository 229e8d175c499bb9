import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { BLANK } from '../heal/memory.ts';
import type { NodeMemory } from '../heal/memory.ts';
import { readWhole, writeWhole } from './wholeFile.ts';

/** What outlives the controller: what it was doing, and what operators wished. */
export interface NodeRecord {
  readonly memory: NodeMemory;
  readonly wish: 'running' | 'stopped' | 'removed';
  /** Its data goes with it when it is removed. */
  readonly deleteData: boolean;
  readonly paused: boolean;
}

const FRESH: NodeRecord = { memory: BLANK, wish: 'running', deleteData: false, paused: false };
const VERSION = 1;

/** The records of all nodes, in one file that is replaced whole and flushed before anything is done. */
export class Records {
  readonly #path: string;
  readonly #nodes = new Map<string, NodeRecord>();
  #written = '';

  /** @throws Error when there is a file that cannot be read or is not ours: guessing could double a step */
  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const text = readWhole(path);
    if (text === null) return;
    const value = JSON.parse(text) as { version?: unknown; nodes?: Record<string, NodeRecord> };
    if (value.version !== VERSION || typeof value.nodes !== 'object') throw new Error(`${path}: not a record of this version; move it away to start anew`);
    for (const [name, record] of Object.entries(value.nodes)) this.#nodes.set(name, { ...FRESH, ...record, memory: { ...BLANK, ...record.memory } });
    this.#written = text;
  }

  of(name: string): NodeRecord {
    return this.#nodes.get(name) ?? FRESH;
  }

  set(name: string, change: Partial<NodeRecord>): void {
    this.#nodes.set(name, { ...this.of(name), ...change });
  }

  drop(name: string): void {
    this.#nodes.delete(name);
  }

  /** @throws Error when the disk does not take it: then nothing may be done either */
  flush(): void {
    const text = JSON.stringify({ version: VERSION, nodes: Object.fromEntries(this.#nodes) });
    if (text === this.#written) return;
    writeWhole(this.#path, text);
    this.#written = text;
  }
}
