import type { Logger } from '../../src/observe/log.ts';
import type { DemoNet, DemoNetOptions, Parts, SentText, StartGateway, World } from '../../src/cli/ports.ts';
import type { Config } from '../../src/config/schema.ts';
import { Reloader } from '../../src/gateway/reload.ts';

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };

const QUIET = { clock: { nowMs: () => 0, wallMs: () => 0 }, timers: { after: () => ({ cancel: () => {} }) }, random: () => 0 };

/** A world in memory: files, signals, and what was written. */
export class TestWorld implements World {
  readonly outLines: string[] = [];
  readonly errLines: string[] = [];
  readonly env: Record<string, string> = {};
  readonly files = new Map<string, string>();
  readonly listeners = new Set<() => void>();
  out = (line: string): void => void this.outLines.push(...line.split('\n'));
  err = (line: string): void => void this.errLines.push(...line.split('\n'));
  readFile = async (path: string): Promise<string> => {
    const text = this.files.get(path);
    if (text === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    return text;
  };
  /** Answers of the admin port by URL; others are refused. */
  readonly answers = new Map<string, { status: number; body: string }>();
  /** Called at each pause. */
  onPause: () => void = () => {};
  /** What was sent that is no plain GET. */
  readonly sent: { readonly url: string; readonly method: string; readonly body: string; readonly authorization: string | undefined }[] = [];
  fetchText = async (url: string, sent?: SentText): Promise<{ status: number; body: string }> => {
    if (sent !== undefined) this.sent.push({ url, method: sent.method, body: sent.body, authorization: sent.headers.authorization });
    const answer = this.answers.get(url);
    if (answer === undefined) throw new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) });
    return answer;
  };
  pause = async (): Promise<void> => this.onPause();
  onSignal = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  readonly hangups = new Set<() => void>();
  readonly watched = new Map<string, () => void>();
  onHangup = (listener: () => void): (() => void) => {
    this.hangups.add(listener);
    return () => this.hangups.delete(listener);
  };
  onFileChange = (path: string, listener: () => void): (() => void) => {
    this.watched.set(path, listener);
    return () => this.watched.delete(path);
  };
  hangup(): void {
    for (const listener of this.hangups) listener();
  }
  change(path: string): void {
    this.watched.get(path)?.();
  }
  signal(): void {
    for (const listener of this.listeners) listener();
  }
}

/** Parts that only write down what happens to them; `started` resolves when the gateway runs. */
export class TestParts implements Parts {
  readonly version = '1.2.3';
  readonly events: string[] = [];
  readonly configs: Config[] = [];
  readonly logLevels: string[] = [];
  readonly reloads: Config[] = [];
  readonly logLines: string[] = [];
  #onLog: () => void = () => {};
  /** Resolves when so many lines were logged. */
  logged = (lines: number): Promise<void> =>
    new Promise((resolve) => {
      this.#onLog = () => {
        if (this.logLines.length >= lines) resolve();
      };
      this.#onLog();
    });
  gatewayFault: Error | null = null;
  closeGateway: () => Promise<void> = async () => {};
  #markStarted: () => void = () => {};
  readonly started = new Promise<void>((resolve) => {
    this.#markStarted = resolve;
  });

  createLogger = ({ level }: { level: string }): Logger => {
    this.logLevels.push(level);
    const note = (_fields: unknown, line: string): void => {
      this.logLines.push(line);
      this.#onLog();
    };
    return { ...silent, info: note, warn: note, error: note };
  };

  startGateway: StartGateway = async (config, { log, readConfig }) => {
    this.configs.push(config);
    if (this.gatewayFault !== null) throw this.gatewayFault;
    this.events.push('gateway starts');
    setImmediate(this.#markStarted);
    const close = async (graceMs?: number): Promise<void> => {
      this.events.push(`gateway closes within ${graceMs ?? 'its own time'}`);
      await this.closeGateway();
    };
    const apply = async (next: Config): Promise<void> => void this.reloads.push(next);
    const reloader = new Reloader(config, {
      world: { ...QUIET, log },
      chains: { apply },
      server: { reload: () => undefined },
      setLimits: () => undefined,
      certificates: { prepare: () => ({ live: [], commit: () => undefined }) },
    });
    const reloadFile = async () => (readConfig === undefined ? null : reloader.take(readConfig));
    return { clientPort: 1111, adminPort: 2222, reloadFile, close };
  };

  startDemoNet = async (options: DemoNetOptions): Promise<DemoNet> => {
    this.events.push(`net starts: ${JSON.stringify(options)}`);
    const nodes = ['x', 'y'].map((name, index) => ({
      name,
      httpUrl: `http://127.0.0.1:${index + 1}`,
      wsUrl: `ws://127.0.0.1:${index + 1}`,
      pid: index === 0 ? null : 4242,
    }));
    const close = async (): Promise<void> => void this.events.push('net closes');
    return { nodes, close };
  };
}
