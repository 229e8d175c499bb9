import { describe, expect, it } from 'vitest';
import { mix32 } from '../../../src/base/hash.ts';
import { TimerWheel } from '../../../src/base/wheel.ts';
import type { MethodSpec } from '../../../src/chain/method.ts';
import { Attempt } from '../../../src/route/attempt.ts';
import type { AttemptPort, AttemptResult, AttemptShared } from '../../../src/route/attemptPort.ts';
import { LoadBook } from '../../../src/route/loadBook.ts';
import { Ranker } from '../../../src/route/rank.ts';
import { RetryBudget } from '../../../src/route/retryBudget.ts';
import { askOf, entryOf, LOOK_UP, outcomeOf, READ, specOf, tableOf } from '../../help/route.ts';
import type { TestReply } from '../../help/route.ts';

type Condition = 'up' | 'killed' | 'stopped';

/** 500 calls a second; at `OUTAGE_MS` some nodes fall out, and health never notices. */
const CALLS_PER_S = 500;
const OUTAGE_MS = 500;
const END_MS = 7000;
const LATENCY_MS = 3;

interface Event {
  readonly run: () => void;
}

/** Virtual time in whole ms. */
class World {
  nowMs = 0;
  readonly results: {
    readonly result: AttemptResult<TestReply>;
    readonly tookMs: number;
    readonly startedMs: number;
  }[] = [];
  readonly wheel = new TimerWheel<Event>({ tickMs: 1, buckets: 256 });
  readonly table = tableOf([entryOf(0), entryOf(1), entryOf(2)]);
  readonly shared: AttemptShared;
  readonly ranker: Ranker;
  private readonly fates: readonly Condition[];

  constructor(fates: readonly Condition[]) {
    this.fates = fates;
    const book = new LoadBook(3);
    const budget = new RetryBudget({ percent: 20, reservePerS: 10 });
    this.shared = { options: { maxAttempts: 4, maxHedges: 1, nullRetry: true }, budget, book };
    this.ranker = new Ranker(book, 0.25);
  }

  at(atMs: number, run: () => void): number {
    return this.wheel.add(atMs, { run });
  }

  condition(upstreamIndex: number): Condition {
    return this.nowMs < OUTAGE_MS ? 'up' : (this.fates[upstreamIndex] ?? 'up');
  }

  run(untilMs: number): void {
    for (; this.nowMs < untilMs; this.nowMs++) this.wheel.expire(this.nowMs, (event) => event.run());
  }
}

class Client implements AttemptPort<TestReply> {
  private readonly world: World;
  private readonly machine: Attempt<TestReply>;
  private readonly startedMs: number;
  private timer = -1;

  constructor(world: World, method: MethodSpec, keyHash: number) {
    this.world = world;
    this.startedMs = world.nowMs;
    this.machine = new Attempt<TestReply>(this, world.shared);
    const candidates = new Int32Array(3);
    const { table, ranker, nowMs } = world;
    const candidateCount = ranker.rank(table, method, askOf({ keyHash, nowMs }), candidates);
    const deadlineMs = nowMs + 30_000;
    this.machine.start(
      { method, table, candidates, candidateCount, refusal: ranker.refusal, deadlineMs, hashSeen: false },
      nowMs,
    );
  }

  send(attempt: number, upstreamIndex: number): void {
    const { world } = this;
    const sentTo = world.condition(upstreamIndex);
    if (sentTo === 'stopped') return;
    world.at(world.nowMs + (sentTo === 'killed' ? 1 : LATENCY_MS), () => {
      if (world.condition(upstreamIndex) === 'stopped') return;
      if (world.condition(upstreamIndex) === 'up') {
        this.machine.onAnswer(attempt, outcomeOf('result'), { text: 'x', isNull: true }, world.nowMs);
      } else {
        this.machine.onFailure(attempt, outcomeOf('transport', { unsent: sentTo === 'killed' }), world.nowMs);
      }
    });
  }

  cancel(): void {}

  arm(atMs: number): void {
    this.world.wheel.cancel(this.timer);
    this.timer = this.world.at(atMs, () => this.machine.onTimer(this.world.nowMs));
  }

  finish(result: AttemptResult<TestReply>): void {
    this.world.wheel.cancel(this.timer);
    this.world.results.push({ result, tookMs: this.world.nowMs - this.startedMs, startedMs: this.startedMs });
  }
}

function play(fates: readonly Condition[], method: MethodSpec): World {
  const world = new World(fates);
  let calls = 0;
  for (let atMs = 0; atMs < END_MS; atMs += 1000 / CALLS_PER_S) {
    const key = mix32(++calls);
    world.at(atMs, () => void new Client(world, method, key));
  }
  world.run(END_MS + 2000);
  expect(world.results).toHaveLength(calls);
  return world;
}

const quantile = (world: World, q: number): number => {
  const times = world.results.filter((one) => one.startedMs >= OUTAGE_MS).map((one) => one.tookMs);
  return times.sort((a, b) => a - b)[Math.floor(q * times.length)] ?? 0;
};

describe('nodes that fall out under 500 calls a second, before anybody judges them', () => {
  it.each([
    ['one killed', ['killed', 'up', 'up'], READ, 10],
    ['two killed', ['killed', 'killed', 'up'], READ, 10],
    ['one stopped', ['stopped', 'up', 'up'], READ, 30],
    ['two stopped', ['stopped', 'stopped', 'up'], READ, 60],
    ['one stopped, look-ups of what is not there', ['stopped', 'up', 'up'], LOOK_UP, 80],
    ['one killed, one stopped', ['killed', 'stopped', 'up'], READ, 30],
    ['one stopped, calls that are not hedged', ['stopped', 'up', 'up'], specOf({ hedgeable: false }), 520],
  ] as const)('%s: no call fails', (_, fates, method, p99Ms) => {
    const world = play(fates, method);
    expect(world.results.filter(({ result }) => result.kind !== 'reply')).toEqual([]);
    expect(quantile(world, 0.99)).toBeLessThanOrEqual(p99Ms);
    for (const index of [0, 1, 2]) expect(world.shared.book.inFlight(index)).toBe(0);
  });
});
