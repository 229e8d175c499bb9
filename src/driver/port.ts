import type { ProcessFacts } from '../heal/facts.ts';

/** What a driver needs to run one node. */
export interface RunSpec {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to a bare environment (PATH, HOME); nothing else of ours is passed on. */
  readonly env: Readonly<Record<string, string>>;
  /** The node's data; also its working directory. Made when missing. */
  readonly dataDir: string;
  /** First asked to end with this. */
  readonly stopSignal: NodeJS.Signals;
  /** Of a container; undefined = the driver's default. Drivers of plain processes ignore it. */
  readonly image?: string;
  /** Only where the driver `limits`. */
  readonly limits?: { readonly memoryBytes?: number; readonly cpus?: number };
}

/** Of a running process or container, summed over all of it; null where it cannot be told. */
export interface Usage {
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly openFiles: number | null;
}

/** What runs under a name, looked at now. */
export interface Observed extends ProcessFacts {
  /** Of the main process; null when nothing runs. */
  readonly pid: number | null;
  readonly usage: Usage | null;
}

export interface DriverCapabilities {
  /** Finds what it started before, after a restart of the controller. */
  readonly adopts: boolean;
  /** Data directories can be swapped by rename while nothing runs. */
  readonly swapsData: boolean;
  /** CPU and memory can be limited. */
  readonly limits: boolean;
}

/**
 * Runs nodes by name. Every method is idempotent, and safe to repeat after a crash between any two of them; calls for one
 * name must not overlap.
 */
export interface NodeDriver {
  readonly kind: string;
  readonly capabilities: DriverCapabilities;
  /** Never rejects: what cannot be looked at is `unknown`. */
  observe(name: string): Promise<Observed>;
  /** Starts it where nothing runs under the name; where it runs, nothing happens. @throws Error with the cause when it cannot be started */
  start(name: string, spec: RunSpec): Promise<void>;
  /**
   * Ends the run `incarnation` with the spec's signal, after `graceMs` by force; resolves when it is gone. Another
   * incarnation, or none: nothing happens.
   */
  stop(name: string, incarnation: string, graceMs: number): Promise<void>;
  /** Forgets a name that does not run: its record, its container; never its data. */
  forget(name: string): Promise<void>;
  /** The last lines of output, oldest first. */
  logs(name: string, lines: number): Promise<readonly string[]>;
  /** Lets go of what runs without ending it. */
  close(): Promise<void>;
}

export const NOTHING: Observed = { state: 'absent', incarnation: '', startedAtMs: -1, endedAtMs: -1, exitCode: null, signal: null, oomKilled: false, pid: null, usage: null };
