import type { Logger } from '../../src/observe/log.ts';
import type { ChildRun, DemoNet, DemoNetOptions, NamedNode, Parts, RunningController, SentText, StartGateway, World } from '../../src/cli/ports.ts';
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
  /** Time, and what whoever is asked says. */
  time = 0;
  answer: boolean | null = null;
  readonly questions: string[] = [];
  readonly children: { readonly words: readonly string[]; readonly kills: string[]; end(code: number | string): void }[] = [];
  nowMs = (): number => this.time;
  confirm = async (question: string): Promise<boolean | null> => {
    this.questions.push(question);
    return this.answer;
  };
  runSelf = (words: readonly string[]): ChildRun => {
    let end: (code: number | string) => void = () => {};
    const ended = new Promise<number | string>((done) => {
      end = done;
    });
    const kills: string[] = [];
    this.children.push({ words, kills, end });
    return {
      ended,
      kill: (signal) => {
        kills.push(signal);
        if (signal === 'SIGTERM') end(0);
      },
    };
  };
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
  netFault: Error | null = null;
  onEntry: DemoNetOptions['onEntry'] = () => {};
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

  demoNodes = (count: number): Promise<readonly NamedNode[]> =>
    Promise.resolve(Array.from({ length: count }, (_, i) => ({ name: `n${i}`, httpUrl: `http://127.0.0.1:${i + 1}`, wsUrl: `ws://127.0.0.1:${i + 1}` })));

  startDemoNet = async (named: readonly NamedNode[], { log: _log, onEntry, ...options }: DemoNetOptions): Promise<DemoNet> => {
    this.onEntry = onEntry;
    this.events.push(`net starts: ${JSON.stringify(options)}`);
    if (this.netFault !== null) throw this.netFault;
    const nodes = named.map((node, i) => ({ ...node, pid: i === 0 ? null : 4242 }));
    setImmediate(this.#markStarted);
    const close = async (): Promise<void> => void this.events.push('net closes');
    return { nodes, controllerPort: 3333, dataDir: '/tmp/demo', close };
  };

  planOnce = (): Promise<readonly string[]> => Promise.resolve(['n1: healthy; no step; at the head']);

  startController = async (config: Config): Promise<RunningController> => {
    this.configs.push(config);
    this.events.push('controller starts');
    setImmediate(this.#markStarted);
    return { adminPort: 3333, close: async () => void this.events.push('controller closes') };
  };
}
