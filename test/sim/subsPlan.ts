import type { Random } from '../../src/base/random.ts';
import type { SlowPolicy } from '../../src/subs/member.ts';
import type { Ill, NodePlan } from './subsNode.ts';

/** One seed's world. */
export interface SubsPlan {
  readonly nodes: readonly NodePlan[];
  readonly blockMs: number;
  readonly troubleMs: number;
  readonly reorgShare: number;
  readonly maxReorg: number;
  readonly windowBlocks: number;
  readonly tipRace: boolean;
  readonly policy: SlowPolicy;
  readonly softLimitBytes: number;
  readonly hardLimitBytes: number;
  readonly clients: number;
  readonly slowShare: number;
}

const ILLS: readonly Ill[] = ['dead', 'mute', 'stuck', 'emptyLogs', 'someLogs', 'wrongLogs', 'noHeader', 'errors'];

export function drawPlan(random: Random): SubsPlan {
  const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const troubleMs = between(20, 60) * 1000;
  const count = pick([1, 2, 3, 3, 3, 4]);
  const calm = random() < 0.2;
  const cut = random() < 0.3 ? between(3000, troubleMs) : -1;
  const firstSound = count > 2 && random() < 0.5;
  // a header can only be disproved by a node that has the true one
  const ills = firstSound && cut < 0 ? [...ILLS, 'badHeader' as const] : ILLS;
  const nodes = Array.from({ length: count }, (_, index): NodePlan => ({
    lagMs: between(0, 300),
    latencyMs: between(1, 60),
    logsLagMs: pick([0, 0, 100, 900, 3000]),
    spans: calm || (firstSound && index === 0) ? [] : Array.from({ length: between(0, 4) }, () => {
      const fromMs = between(0, troubleMs);
      return { ill: pick(ills), fromMs, toMs: Math.min(troubleMs, fromMs + between(200, 12_000)) };
    }),
  }));
  const whole = cut < 0 ? nodes : nodes.map((node) => ({ ...node, spans: [...node.spans, { ill: 'dead' as const, fromMs: cut, toMs: Math.min(troubleMs, cut + between(500, 9000)) }] }));
  return {
    nodes: whole,
    blockMs: pick([250, 1000, 1000, 2000]),
    troubleMs,
    reorgShare: pick([0, 0.05, 0.2]),
    maxReorg: pick([1, 3, 8]),
    windowBlocks: random() < 0.1 ? between(4, 12) : 256,
    tipRace: random() < 0.3,
    policy: pick(['disconnect', 'drop-oldest', 'conflate'] as const),
    softLimitBytes: pick([2_000, 20_000]),
    hardLimitBytes: pick([20_000, 1_000_000]),
    clients: between(2, 8),
    slowShare: pick([0, 0.3]),
  };
}
