import { seededRandom } from '../../src/base/random.ts';
import type { Random } from '../../src/base/random.ts';
import { HEAD_TROUBLES, SimNode, TROUBLES } from './node.ts';
import type { SimChain, Span, Trouble } from './node.ts';

/** A drawn scenario: what is there, what goes wrong when, how much is asked. */
export interface Plan {
  readonly seed: number;
  readonly random: Random;
  readonly chain: SimChain;
  readonly nodes: readonly SimNode[];
  readonly durationMs: number;
  readonly callsPerS: number;
  readonly deadlineMs: number;
  readonly budget: { readonly percent: number; readonly reservePerS: number };
  /** So few nodes are ever in trouble that the sound ones are a majority all the time. */
  readonly strict: boolean;
}

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

/** Spans of one node: a few long ones, or one kind flapping. */
function drawSpans(random: Random, kinds: readonly Trouble[], durationMs: number): Span[] {
  const spans: Span[] = [];
  const flaps = random() < 0.2;
  const count = flaps ? 6 : 1 + Math.floor(random() * 3);
  const kind = pick(random, kinds);
  for (let i = 0; i < count; i++) {
    const fromMs = random() < 0.15 ? 0 : random() * durationMs * 0.8;
    const forGood = random() < 0.3 ? durationMs : 0;
    const lengthMs = flaps ? 200 + 3000 * random() : 1000 + random() * durationMs * 0.4 + forGood;
    spans.push({ kind: flaps ? kind : pick(random, kinds), fromMs, toMs: fromMs + lengthMs });
  }
  return spans;
}

/** Draws everything from the seed: topology, the kinds of trouble that occur at all, and their rates ("swarm"). */
export function drawPlan(seed: number): Plan {
  const random = seededRandom(seed);
  const count = 1 + Math.floor(random() * 7);
  const chain: SimChain = { blockMs: pick(random, [250, 1000, 2000, 4000, 12_000]) };
  const durationMs = 40_000 + 40_000 * random();
  const kinds = TROUBLES.filter(() => random() < 0.4);
  const troubleShare = random();
  const tiered = random() < 0.25;
  // Half of the scenarios keep the sound nodes in the majority: there more can be promised.
  const mostIll = random() < 0.5 ? Math.floor((count - 1) / 2) : count;
  const allSpans: Span[][] = [];
  let drawn = 0;
  for (let i = 0; i < count; i++) {
    const troubled = kinds.length > 0 && drawn < mostIll && random() < troubleShare;
    if (troubled) drawn++;
    allSpans.push(troubled ? drawSpans(random, kinds, durationMs) : []);
  }
  const ill = allSpans.filter((spans) => spans.length > 0).length;
  const lying = allSpans.filter((spans) => spans.some((span) => HEAD_TROUBLES.has(span.kind))).length;
  const nodes = allSpans.map((spans, index) => new SimNode(index, { chain, random: seededRandom(seed * 31 + index), spans, tier: tiered && index > 0 ? Math.floor(random() * 2) : 0 }));
  return {
    seed,
    random,
    chain,
    nodes,
    durationMs,
    callsPerS: pick(random, [3, 10, 30]),
    budget: { percent: pick(random, [0, 5, 20]), reservePerS: pick(random, [0, 1, 10]) },
    deadlineMs: pick(random, [5000, 30_000]),
    strict: lying === 0 || (count >= 3 && 2 * ill < count),
  };
}
