import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeFacts } from '../heal/facts.ts';

/** A data directory is measured again after so long. */
const MEASURE_EVERY_MS = 60_000;
/** One with more entries is not measured to the end. */
const MAX_ENTRIES = 200_000;

/** What is seen of a node beside what decisions need. */
export interface NodeTelemetry {
  /** Runs that were seen since the controller began, less the first. */
  readonly restarts: number;
  /** Time of its newest answer; null = none yet. */
  readonly rpcMs: number | null;
  /** Space that its data takes; null = not measured yet, or too many files. */
  readonly diskUsedBytes: number | null;
}

interface Entry {
  runs: number;
  incarnation: string;
  rpcMs: number | null;
  diskUsedBytes: number | null;
  measuredAtMs: number;
}

/** Keeps what the admin port and the metrics tell of the nodes of one chain. */
export class Telemetry {
  readonly #nodes = new Map<string, Entry>();

  of(name: string): NodeTelemetry {
    const { runs, rpcMs, diskUsedBytes } = this.#entry(name);
    return { restarts: Math.max(0, runs - 1), rpcMs, diskUsedBytes };
  }

  answered(name: string, rpcMs: number): void {
    this.#entry(name).rpcMs = rpcMs;
  }

  /** Takes in a look, and measures the data now and then, aside. */
  look({ name, process: run }: NodeFacts, dataDir: string, nowMs: number): void {
    const entry = this.#entry(name);
    if (run.state === 'running' && run.incarnation !== entry.incarnation) {
      entry.incarnation = run.incarnation;
      entry.runs++;
    }
    if (nowMs - entry.measuredAtMs < MEASURE_EVERY_MS) return;
    entry.measuredAtMs = nowMs;
    void usedBytes(dataDir).then((bytes) => {
      entry.diskUsedBytes = bytes;
    });
  }

  forget(name: string): void {
    this.#nodes.delete(name);
  }

  #entry(name: string): Entry {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const entry: Entry = { runs: 0, incarnation: '', rpcMs: null, diskUsedBytes: null, measuredAtMs: Number.NEGATIVE_INFINITY };
    this.#nodes.set(name, entry);
    return entry;
  }
}

/** Space that a folder takes on disk, links not followed; null when it has too many entries. Never rejects. */
export async function usedBytes(folder: string, maxEntries = MAX_ENTRIES): Promise<number | null> {
  let bytes = 0;
  let entries = 0;
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    const names = await readdir(at).catch(() => []);
    entries += names.length;
    if (entries > maxEntries) return null;
    for (const name of names) {
      const path = join(at, name);
      // it may be gone meanwhile
      const found = await lstat(path).catch(() => null);
      if (found === null) continue;
      bytes += found.blocks * 512;
      if (found.isDirectory()) folders.push(path);
    }
  }
  return bytes;
}
