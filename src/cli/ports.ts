import type { Config } from '../config/schema.ts';
import type { ReadConfig } from '../config/wanted.ts';
import type { JournalEntry } from '../observe/journal.ts';
import type { Logger, LogLevel } from '../observe/log.ts';

/** What a command can reach of the process it runs in. */
export interface World {
  /** Writes one line to standard output. */
  out(line: string): void;
  /** Writes one line to standard error. */
  err(line: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Shows how far something is, in the place of what was shown before, or now and then where no terminal is; '' takes it away. Absent where nobody watches. */
  readonly progress?: (line: string) => void;
  /** Whole text of a file. Rejects with an error that has a `code`. */
  readFile(path: string): Promise<string>;
  /** GETs a URL, or sends it something; rejects when there is no whole answer within a few seconds, or `timeoutMs`. */
  fetchText(url: string, sent?: SentText): Promise<FetchedText>;
  /** Resolves after a time. */
  pause(ms: number): Promise<void>;
  /** Unix ms. */
  nowMs(): number;
  /** Asks whoever sits at the terminal for yes or no; null where nobody does. */
  confirm(question: string): Promise<boolean | null>;
  /** Runs another process of this program with these words behind its name, its output going where ours goes. */
  runSelf(words: readonly string[]): ChildRun;
  /** Calls back at each SIGINT or SIGTERM, until the returned function is called. */
  onSignal(listener: () => void): () => void;
  /** Calls back at each SIGHUP, until the returned function is called. */
  onHangup(listener: () => void): () => void;
  /** Calls back after each change of a file, until the returned function is called; `onFault` gets why it cannot. */
  onFileChange(path: string, listener: () => void, onFault: (reason: string) => void): () => void;
}

/** Another process of this program. */
export interface ChildRun {
  /** Resolves with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  kill(signal: 'SIGTERM' | 'SIGHUP'): void;
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

/** The demo's nodes, kept by a controller. */
export interface DemoNet extends Running {
  readonly nodes: readonly DemoNode[];
  readonly controllerPort: number;
  /** Holds a folder with the data of each node, by its name, and their snapshots. */
  readonly dataDir: string;
}

export interface DemoNetOptions {
  readonly chain: string;
  readonly chainId: number;
  readonly blockTimeMs: number;
  /** Admin port of the gateway, and the file with its token. */
  readonly edge: { readonly url: string; readonly tokenFile: string };
  /** 0 picks a free one. */
  readonly controllerPort: number;
  readonly log: Logger;
  /** Hears of each entry of the controller's journal. */
  readonly onEntry: (entry: JournalEntry) => void;
}

/** Nodes that have a place and do not run yet. */
export type NamedNode = Omit<DemoNode, 'pid'>;
export type DemoNodes = (count: number) => Promise<readonly NamedNode[]>;
export type StartDemoNet = (nodes: readonly NamedNode[], options: DemoNetOptions) => Promise<DemoNet>;

/** A running controller. */
export interface RunningController extends Running {
  readonly adminPort: number;
}

export type StartController = (config: Config, deps: { readonly log: Logger }) => Promise<RunningController>;

/** What `main.ts` hands to the commands. */
export interface Parts {
  readonly version: string;
  readonly startGateway: StartGateway;
  readonly createLogger: CreateLogger;
  readonly demoNodes: DemoNodes;
  readonly startDemoNet: StartDemoNet;
  readonly startController: StartController;
  /** One look at the nodes, and what would be done about them, in lines. */
  readonly planOnce: (config: Config, deps: { readonly log: Logger }) => Promise<readonly string[]>;
}

/** Exit codes of every command. */
export const EXIT = {
  /** Done, or ended by a first signal after all calls were finished. */
  ok: 0,
  /** It failed: problems in the configuration, a port in use, a second signal. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Nothing speaks against a snapshot, but it is not proven as far as the configuration asks. */
  unproven: 3,
} as const;
