import type { Random } from '../../../src/base/random.ts';
import type { NodeFacts, ProcessFacts } from '../../../src/heal/facts.ts';

/** What can befall a node. The first group passes or is cured by a restart, the second by new data, the last by nobody here. */
export type Ill = 'kill' | 'hang' | 'lag' | 'stallRun' | 'portTaken' | 'corrupt' | 'badBranch' | 'badConfig' | 'diskFull';

export interface SimChain {
  head: number;
  movedAtMs: number;
}

const WAY_UP_MS = 3000;

/** A node, its data directory and the edge's word about it, in virtual time. */
export class SimNode {
  readonly name: string;
  wish: 'running' | 'stopped' | 'removed' = 'running';
  /** The edge has it on its list. */
  listed = true;
  paused = false;
  run: { readonly id: number; readonly sinceMs: number } | null = null;
  ended: { readonly id: number; readonly sinceMs: number; readonly atMs: number; readonly signal: string | null } | null = null;
  head = 100;
  headMovedAtMs = 0;
  answeredAtMs = -1;
  hangs = false;
  lags = false;
  stalls = false;
  log: NodeFacts['log'] = null;
  /** Faults of the data and the surroundings outlive runs. */
  corrupt = false;
  branch = false;
  config = true;
  portTakenUntilMs = -1;
  diskFull = false;
  staged: string | null = null;
  swapped: string | null = null;
  /** The next data that is swapped in is no better. */
  badSnapshot = false;
  cordoned = false;
  percent = 100;
  inFlight = 0;
  edgeState: 'serving' | 'down' | 'probation' = 'serving';
  edgeGoodSinceMs = -1;
  /** How long the edge takes to notice that the node is ill. */
  edgeNoticesMs = 0;
  badSinceMs = -1;
  #runs = 0;

  constructor(name: string, nowMs: number) {
    this.name = name;
    this.boot(nowMs);
  }

  get incarnation(): string {
    return String(this.run?.id ?? this.ended?.id ?? '');
  }

  get serves(): boolean {
    return this.listed && !this.cordoned && this.edgeState === 'serving';
  }

  boot(nowMs: number): void {
    this.run = { id: ++this.#runs, sinceMs: nowMs };
    this.hangs = false;
    this.stalls = false;
    this.log = null;
  }

  end(nowMs: number, signal: string | null): void {
    if (this.run === null) return;
    this.ended = { ...this.run, atMs: nowMs, signal };
    this.run = null;
  }

  befall(ill: Ill, nowMs: number, random: Random): void {
    if (ill === 'kill') this.end(nowMs, 'SIGKILL');
    else if (ill === 'hang') this.hangs = true;
    else if (ill === 'lag') this.lags = !this.lags;
    else if (ill === 'stallRun') this.stalls = true;
    else if (ill === 'portTaken') {
      this.portTakenUntilMs = nowMs + random() * 60_000;
      this.end(nowMs, null);
    } else if (ill === 'corrupt') this.corrupt = true;
    else if (ill === 'badBranch') this.branch = true;
    else if (ill === 'badConfig') {
      this.config = false;
      this.end(nowMs, null);
    } else this.diskFull = true;
  }

  /** One second of life. */
  live(chain: SimChain, nowMs: number): void {
    this.inFlight = this.serves ? 3 : Math.max(0, this.inFlight - 2);
    const run = this.run;
    if (run !== null && nowMs - run.sinceMs >= WAY_UP_MS) this.#settle(chain, nowMs);
    const good = this.run !== null && nowMs - this.answeredAtMs <= 1500 && chain.head - this.head < 5 && !this.branch;
    if (good) this.badSinceMs = -1;
    else if (this.badSinceMs < 0) this.badSinceMs = nowMs;
    if (!good) {
      if (nowMs - this.badSinceMs >= this.edgeNoticesMs) this.edgeState = 'down';
      this.edgeGoodSinceMs = -1;
    } else if (this.edgeState !== 'serving') {
      if (this.edgeGoodSinceMs < 0) this.edgeGoodSinceMs = nowMs;
      this.edgeState = nowMs - this.edgeGoodSinceMs > 4000 ? 'serving' : 'probation';
    }
  }

  #settle(chain: SimChain, nowMs: number): void {
    const fatal = !this.config ? ('badConfig' as const) : nowMs < this.portTakenUntilMs ? ('portInUse' as const) : this.corrupt ? ('dataCorrupt' as const) : this.diskFull ? ('diskFull' as const) : null;
    if (fatal !== null) {
      this.log = { sign: fatal, line: fatal };
      this.end(nowMs, null);
      return;
    }
    if (this.hangs) return;
    this.answeredAtMs = nowMs;
    const step = this.stalls || this.branch ? 0 : this.lags ? 1 : Math.max(0, Math.min(20, chain.head - this.head));
    if (step > 0 && this.head < chain.head) {
      this.head += Math.min(step, chain.head - this.head);
      this.headMovedAtMs = nowMs;
    }
  }

  /** What a look shows now. */
  facts(nowMs: number, edgeUp: boolean): NodeFacts {
    const { run, ended } = this;
    const process: ProcessFacts = {
      state: run !== null ? 'running' : ended !== null ? 'exited' : 'absent',
      incarnation: this.incarnation,
      startedAtMs: run?.sinceMs ?? ended?.sinceMs ?? -1,
      endedAtMs: run !== null ? -1 : (ended?.atMs ?? -1),
      exitCode: ended !== null && ended.signal === null ? 1 : null,
      signal: ended?.signal ?? null,
      oomKilled: false,
    };
    const rpc = { askedAtMs: nowMs, answeredAtMs: this.answeredAtMs, headNumber: this.head, headHash: '', headMovedAtMs: this.headMovedAtMs, syncing: false, peers: 3, forkedAt: this.branch ? this.head : -1 };
    return {
      name: this.name,
      wish: this.wish,
      paused: this.paused,
      process,
      log: run === null ? this.log : null,
      rpc,
      edge: edgeUp && this.listed ? { state: this.cordoned ? 'cordoned' : this.edgeState, cordoned: this.cordoned, inFlight: this.inFlight, configuredWeight: 100, assignedWeight: this.percent, why: '' } : null,
      disk: { freeBytes: this.diskFull ? 0 : 1e12, totalBytes: 2e12 },
      data: { damage: null, staged: this.staged, swapped: this.swapped, kept: this.swapped },
      canResync: false,
    };
  }
}
