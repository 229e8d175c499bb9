import type { TimerHandle } from '../../base/clock.ts';
import type { GatewayWorld } from '../node.ts';
import { Intake } from './intake.ts';
import type { IntakeParts } from './intake.ts';
import { RestartPace } from './pace.ts';
import type { PaceOptions } from './pace.ts';
import type { FromWorker, ToWorker, Usage } from './protocol.ts';
import { WorkerProcess } from './workerProcess.ts';

/** How a worker process ended. */
export interface WorkerDeath {
  readonly slot: number;
  readonly pid: number;
  readonly code: number | null;
  /** Name of the signal that ended it; null = it ended by itself. */
  readonly signal: string | null;
  /** It said nothing for too long and was killed for it. */
  readonly hung: boolean;
}

export type WorkerState = 'starting' | 'serving' | 'draining' | 'waiting';

/** What a slot needs of its crew. */
export interface SlotParts extends IntakeParts {
  readonly world: GatewayWorld;
  readonly file: string;
  readonly cellFd: number;
  readonly pace: PaceOptions;
  /** What a worker that has said hello is told. */
  begin(): ToWorker;
  onReady(slot: Slot, engine: 'uws' | 'node'): void;
  onFailed(slot: Slot, message: string): void;
  onUsage(slot: number, usage: Usage): void;
  /** @returns once the place may be taken again */
  onDeath(death: WorkerDeath): Promise<void>;
}

/** Signs of life missed until a process that starts is taken for hung: loading takes longer than serving. */
const START_PATIENCE = 4;

/** The place of one worker: keeps a process in it until it is closed. */
export class Slot {
  readonly number: number;
  state: WorkerState = 'waiting';
  sinceMs = 0;
  restarts = 0;
  usage: Usage = { cpuMs: 0, rssBytes: 0 };
  private readonly parts: SlotParts;
  private readonly pace: RestartPace;
  private process: WorkerProcess | null = null;
  private intake: Intake | null = null;
  private timer: TimerHandle | null = null;
  private silentLooks = 0;
  private hung = false;
  private begun = false;
  private closing = false;
  /** Turns of the config that the process still owes. */
  private readonly owed = new Map<number, () => void>();
  private ended: () => void = () => undefined;

  constructor(number: number, parts: SlotParts) {
    this.number = number;
    this.parts = parts;
    this.pace = new RestartPace(parts.pace, parts.world.random);
  }

  get pid(): number | null {
    return this.process?.pid ?? null;
  }

  start(): void {
    const { file, cellFd } = this.parts;
    this.timer = null;
    this.hung = false;
    this.begun = false;
    this.silentLooks = 0;
    this.enter('starting');
    this.intake = new Intake(this.parts, (message) => this.send(message));
    this.process = new WorkerProcess({ file, slot: this.number, cellFd }, { onMessage: (message) => this.onMessage(message), onExit: (code, signal) => this.onExit(code, signal) });
  }

  /** Only a worker that knows the chains is told of what happens to them. */
  send(message: ToWorker): void {
    if (this.begun) this.process?.send(message);
  }

  /** Resolves once the worker has taken the config over, or has died: its successor starts with it. */
  configure(message: Extract<ToWorker, { kind: 'config' }>): Promise<void> {
    if (!this.begun || this.process === null) return Promise.resolve();
    return new Promise((resolve) => {
      this.owed.set(message.turn, resolve);
      this.send(message);
    });
  }

  /** A look at its life; after more than `limit` looks without a word from it, it is killed. */
  look(limit: number): void {
    if (this.process === null || this.hung) return;
    if (++this.silentLooks <= (this.state === 'starting' ? limit * START_PATIENCE : limit)) return;
    this.hung = true;
    this.process.kill();
  }

  /** Resolves when the process has ended: by itself within `graceMs`, or else killed. */
  close(graceMs: number): Promise<void> {
    this.closing = true;
    this.timer?.cancel();
    const { process } = this;
    if (process === null) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.parts.world.timers.after(graceMs + KILL_AFTER_MS, () => process.kill());
      this.ended = () => {
        timer.cancel();
        resolve();
      };
      if (!this.begun) return process.kill();
      this.enter('draining');
      process.send({ kind: 'drain', graceMs });
    });
  }

  private onMessage(message: FromWorker): void {
    this.silentLooks = 0;
    if (message.kind === 'hello') {
      this.process?.send(this.parts.begin());
      this.begun = true;
    } else if (message.kind === 'ready') {
      this.enter(this.closing ? 'draining' : 'serving');
      this.parts.onReady(this, message.engine);
    } else if (message.kind === 'failed') this.parts.onFailed(this, message.message);
    else if (message.kind === 'outcomes') this.intake?.onOutcomes(message.chains);
    else if (message.kind === 'topic') this.intake?.onTopic(message);
    else if (message.kind === 'filter') this.intake?.onFilter(message);
    else if (message.kind === 'sends') this.intake?.onSends(message);
    else if (message.kind === 'applied') this.settle(message.turn);
    else {
      this.usage = message.usage;
      this.intake?.onReport(message);
      this.parts.onUsage(this.number, message.usage);
    }
  }

  private onExit(code: number | null, signal: string | null): void {
    const pid = this.process?.pid ?? -1;
    const servedMs = this.state === 'serving' ? this.parts.world.clock.nowMs() - this.sinceMs : 0;
    this.process = null;
    this.intake?.close();
    this.usage = { cpuMs: 0, rssBytes: 0 };
    this.parts.onUsage(this.number, this.usage);
    for (const turn of [...this.owed.keys()]) this.settle(turn);
    this.enter('waiting');
    if (this.closing) return this.ended();
    void this.replace({ slot: this.number, pid, code, signal, hung: this.hung }, servedMs);
  }

  private async replace(death: WorkerDeath, servedMs: number): Promise<void> {
    const waitMs = this.pace.next(servedMs);
    this.parts.world.log.warn({ worker: death.slot, pid: death.pid, code: death.code, signal: death.signal, hung: death.hung, restartInMs: Math.round(waitMs) }, 'a worker has died');
    await this.parts.onDeath(death);
    if (this.closing) return;
    this.restarts++;
    this.timer = this.parts.world.timers.after(waitMs, () => this.start());
  }

  private settle(turn: number): void {
    const done = this.owed.get(turn);
    this.owed.delete(turn);
    done?.();
  }

  private enter(state: WorkerState): void {
    this.state = state;
    this.sinceMs = this.parts.world.clock.nowMs();
  }
}

/** Time beyond its grace that a process gets to end. */
const KILL_AFTER_MS = 2_000;
