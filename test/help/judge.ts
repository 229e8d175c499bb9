import { seededRandom } from '../../src/base/random.ts';
import type { Outcome, OutcomeClass } from '../../src/chain/outcome.ts';
import { DEFAULTS } from '../../src/config/defaults.ts';
import { ChainJudge } from '../../src/health/judge.ts';
import type { JudgeOptions } from '../../src/health/judge.ts';
import type { HealthOptions, JudgedUpstream, PaceOptions } from '../../src/health/options.ts';
import type { ProbeOk, ProbeResult } from '../../src/health/probe.ts';
import type { JudgeEvent } from '../../src/health/report.ts';
import type { RouteTable } from '../../src/health/table.ts';
import { headAt } from './heads.ts';

const { health, routing } = DEFAULTS.chain;

/** The defaults of config/reference.yaml. */
export const HEALTH: HealthOptions = health;
export const PACE: PaceOptions = routing;

export const JUDGE: JudgeOptions = {
  chain: 'test',
  chainId: 1,
  health: HEALTH,
  heads: { quorum: 'auto', maxStep: 64, reorgDepth: 128, blockTimeMs: 2000 },
  pace: PACE,
};

export function upstreamOf(name: string, extra: Partial<JudgedUpstream> = {}): JudgedUpstream {
  return { name, weight: 100, tier: 0, maxInFlight: 256, lacks: 0, stateBlocks: 0, denied: null, ...extra };
}

export function outcomeOf(kind: OutcomeClass, holdMs = 0): Outcome {
  const blame = ['transport', 'timeout', 'http', 'auth', 'badJson', 'wrongId', 'node'].includes(kind);
  return { class: kind, retry: blame ? 'other' : 'final', blame, unsent: kind === 'transport', holdMs };
}

export function probeOf(number: number, extra: Partial<ProbeOk> = {}): ProbeOk {
  return { kind: 'ok', head: headAt(number), syncing: false, peers: 3, chainId: 1, clientVersion: 'fake/1', latencyMs: 1, ...extra };
}

export const REFUSED: ProbeResult = { kind: 'refused', detail: 'connection refused' };
export const TIMEOUT: ProbeResult = { kind: 'timeout', detail: 'no answer in 2000 ms' };

/** A judge under a clock; every beat lets the nodes answer the probes that are due. */
export class JudgeBench {
  readonly judge: ChainJudge;
  readonly events: JudgeEvent[] = [];
  now = 0;
  table: RouteTable;
  /** What each node says to its probe; by index. */
  readonly says: (() => ProbeResult)[] = [];

  constructor(nodes: readonly JudgedUpstream[] | number, options: Partial<JudgeOptions> = {}) {
    const upstreams = typeof nodes === 'number' ? Array.from({ length: nodes }, (_, i) => upstreamOf(String.fromCharCode(97 + i))) : nodes;
    this.judge = new ChainJudge({ ...JUDGE, ...options }, upstreams, seededRandom(1), 0);
    this.table = this.judge.table;
    upstreams.forEach((_, i) => {
      this.says[i] = () => probeOf(this.tip);
    });
  }

  /** The chain's own height: one block each 2 s from 100 on, while it runs. */
  get tip(): number {
    return this.frozenTip ?? 100 + Math.floor(this.now / 2000);
  }

  frozenTip: number | null = null;

  beat(): void {
    const { table, events, dueProbes } = this.judge.tick(this.now);
    this.table = table;
    this.events.push(...events);
    let again = false;
    for (const index of dueProbes) {
      const says = this.says[index];
      if (says !== undefined) again = this.judge.onProbe(index, says(), this.now) || again;
    }
    if (again) this.beat();
  }

  /** Lets `ms` pass in beats of 100 ms. */
  run(ms: number): this {
    const end = this.now + ms;
    while (this.now < end) {
      this.now += 100;
      this.beat();
    }
    return this;
  }

  /** `count` calls at node `index` end the same way. */
  calls(index: number, outcome: Outcome, count = 1, latencyMs = 5): void {
    for (let i = 0; i < count; i++) this.judge.onOutcome(index, outcome, latencyMs, this.now);
  }

  state(index: number): string {
    const { state, reason } = this.judge.snapshot(this.now).find((report) => report.index === index) ?? { state: '', reason: '' };
    return `${state}/${reason}`;
  }

  /** `from->to` of every change of state of a node. */
  walk(index: number): string[] {
    return this.events.flatMap((event) => (event.kind === 'state' && event.index === index ? [`${event.from}->${event.to}/${event.reason}`] : []));
  }
}
