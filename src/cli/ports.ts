import type { Config } from '../config/schema.ts';
import type { ReadConfig } from '../config/wanted.ts';
import type { Logger, LogLevel } from '../observe/log.ts';

/** What a command can reach of the process it runs in. */
export interface World {
  /** Writes one line to standard output. */
  out(line: string): void;
  /** Writes one line to standard error. */
  err(line: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whole text of a file. Rejects with an error that has a `code`. */
  readFile(path: string): Promise<string>;
  /** GETs a URL, or sends it something; rejects when there is no whole answer within a few seconds, or `timeoutMs`. */
  fetchText(url: string, sent?: SentText): Promise<FetchedText>;
  /** Resolves after a time. */
  pause(ms: number): Promise<void>;
  /** Calls back at each SIGINT or SIGTERM, until the returned function is called. */
  onSignal(listener: () => void): () => void;
  /** Calls back at each SIGHUP, until the returned function is called. */
  onHangup(listener: () => void): () => void;
  /** Calls back after each change of a file, until the returned function is called; `onFault` gets why it cannot. */
  onFileChange(path: string, listener: () => void, onFault: (reason: string) => void): () => void;
}

/** A request that is not a plain GET. */
export interface SentText {
  readonly method: 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
}

/** An HTTP answer. */
export interface FetchedText {
  readonly status: number;
  readonly body: string;
}

/** Something that runs until it is closed. */
export interface Running {
  close(): Promise<void>;
}

/** A running gateway. */
export interface RunningGateway {
  readonly clientPort: number;
  readonly adminPort: number;
  /** Reads the configuration anew, takes over what can be changed live and logs what became of it. */
  reloadFile(): Promise<unknown>;
  /** Finishes what is under way within `graceMs`, then closes everything. */
  close(graceMs?: number): Promise<void>;
}

export type StartGateway = (config: Config, deps: { readonly log: Logger; readonly readConfig?: ReadConfig }) => Promise<RunningGateway>;
export type CreateLogger = (options: { readonly level: LogLevel | 'silent' }) => Logger;

/** A local node of the demo. */
export interface DemoNode {
  readonly name: string;
  readonly httpUrl: string;
  readonly wsUrl: string;
  /** Process id; null while it does not run. */
  readonly pid: number | null;
}

/** The demo's nodes. */
export interface DemoNet extends Running {
  readonly nodes: readonly DemoNode[];
}

export interface DemoNetOptions {
  readonly nodes: number;
  readonly chainId: number;
  readonly blockTimeMs: number;
  readonly autoRestart: boolean;
  readonly restartDelayMs: number;
}

export type StartDemoNet = (options: DemoNetOptions) => Promise<DemoNet>;

/** What `main.ts` hands to the commands. */
export interface Parts {
  readonly version: string;
  readonly startGateway: StartGateway;
  readonly createLogger: CreateLogger;
  readonly startDemoNet: StartDemoNet;
}

/** Exit codes of every command. */
export const EXIT = {
  /** Done, or ended by a first signal after all calls were finished. */
  ok: 0,
  /** It failed: problems in the configuration, a port in use, a second signal. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
} as const;
