import { type Anvil, type AnvilOptions, startAnvil } from './anvil.ts';
import { type Report, reasonOf } from './report.ts';
import { NodeRpc } from './rpc.ts';
import { Mutex } from './signal.ts';

/** How a node is run. */
export interface NodeOptions extends Omit<AnvilOptions, 'port'> {
  readonly name: string;
  /** 0 = a free one, kept over restarts. */
  readonly port: number;
  /** Start again by itself when the process ends unasked. */
  readonly autoRestart: boolean;
  /** Before such a start. */
  readonly restartDelayMs: number;
  /** Between SIGTERM and SIGKILL. */
  readonly stopGraceMs: number;
  readonly report: Report;
}

/** What others want to hear of a node's process. */
export interface NodeEvents {
  onUp(): void;
  onDown(): void;
}

const MAX_RESTART_DELAY_MS = 10_000;
const QUIET: NodeEvents = { onUp: () => undefined, onDown: () => undefined };

/** Stops the line that anvil prints for every call. A node that died meanwhile is no fault of the start. */
async function silence(url: string, timeoutMs: number): Promise<void> {
  const rpc = new NodeRpc(url, timeoutMs);
  await rpc.call('anvil_setLoggingEnabled', false).catch(() => undefined);
  await rpc.close();
}

/** One node of the devnet: a name and a port, and the process behind it while there is one. */
export class DevnetNode {
  readonly name: string;
  readonly #options: NodeOptions;
  readonly #mutex = new Mutex();
  #events: NodeEvents = QUIET;
  #port: number;
  #anvil: Anvil | null = null;
  /** False when the process should not run, or ends on our command. */
  #wanted = false;
  #restartTimer: NodeJS.Timeout | null = null;

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.#options = options;
    this.#port = options.port;
  }

  /** Port on 127.0.0.1; 0 before the first start where a free one was asked for. */
  get port(): number {
    return this.#port;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  /** Process id, or null while there is no process. */
  get pid(): number | null {
    return this.#anvil?.pid ?? null;
  }

  listen(events: NodeEvents): void {
    this.#events = events;
  }

  /** Starts the process where none runs, on the same port as before, from genesis. @throws Error with anvil's reason */
  start(): Promise<void> {
    this.#wanted = true;
    return this.#mutex.run(() => this.#start());
  }

  /** Ends the process where one runs, and waits for its end. It stays down until `start`. */
  stop(): Promise<void> {
    this.#wanted = false;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    return this.#mutex.run(async () => {
      this.#wanted = false;
      await this.#anvil?.stop(this.#options.stopGraceMs);
    });
  }

  /** Sends a signal and resolves at once, or for SIGKILL when the process is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const anvil = this.#anvil;
    anvil?.kill(signal);
    if (signal === 'SIGKILL') await anvil?.exited;
  }

  /** Ends the process and starts a new one from genesis; a node that was stopped stays stopped. */
  reset(): Promise<void> {
    return this.#mutex.run(async () => {
      const anvil = this.#anvil;
      if (anvil === null || !this.#wanted) return;
      this.#wanted = false;
      anvil.kill('SIGKILL');
      await anvil.exited;
      this.#wanted = true;
      await this.#start();
    });
  }

  async #start(): Promise<void> {
    if (this.#anvil !== null || !this.#wanted) return;
    const anvil = await startAnvil({ ...this.#options, port: this.#port });
    this.#port = anvil.port;
    this.#anvil = anvil;
    await silence(this.httpUrl, this.#options.startTimeoutMs);
    void anvil.exited.then(({ code, signal, lastLines }) => {
      this.#anvil = null;
      this.#events.onDown();
      if (!this.#wanted) return;
      this.#options.report('warn', 'a node ended', { node: this.name, code, signal, lastLines: lastLines.slice(-3) });
      if (this.#options.autoRestart) this.#restartIn(this.#options.restartDelayMs);
    });
    this.#events.onUp();
  }

  #restartIn(delayMs: number): void {
    this.#restartTimer = setTimeout(() => {
      this.#mutex
        .run(() => this.#start())
        .then(() => this.#options.report('info', 'a node was started again', { node: this.name }))
        .catch((error: unknown) => {
          this.#options.report('warn', 'a node did not start again', { node: this.name, reason: reasonOf(error) });
          if (this.#wanted) this.#restartIn(Math.min(delayMs * 2, MAX_RESTART_DELAY_MS));
        });
    }, delayMs);
  }
}
