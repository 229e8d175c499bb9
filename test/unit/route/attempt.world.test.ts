import { describe, expect, it } from 'vitest';
import type { MethodSpec } from '../../../src/chain/method.ts';
import { RetryBudget } from '../../../src/route/retryBudget.ts';
import { entryOf, LOOK_UP, ONCE, RAW_TRANSACTION, READ, Stage } from '../../help/route.ts';

/** Everything that can happen to an open attempt. */
const FATES = ['result', 'null', 'missingData', 'client', 'lost', 'unsent', 'http', 'down'] as const;
const DEPTH = 5;
const MAX_ATTEMPTS = 3;

interface Facts {
  data: boolean;
  nothing: boolean;
  gone: boolean;
  /** Upstreams that may have run the call. */
  readonly reached: number[];
  /** Upstreams that went down, with the number of sends at that time. */
  readonly down: Map<number, number>;
}

interface Play {
  readonly stage: Stage;
  readonly facts: Facts;
}

const entries = [entryOf(0), entryOf(1, { headNumber: 101 }), entryOf(2, { headNumber: 101 })];

function begin(method: MethodSpec, spare: number): Play {
  const budget = new RetryBudget({ percent: 0, reservePerS: spare / 10 });
  const stage = new Stage({ method, entries, budget, options: { maxAttempts: MAX_ATTEMPTS } }).start();
  return { stage, facts: { data: false, nothing: false, gone: false, reached: [], down: new Map() } };
}

/** What can happen next: a fate of an open attempt, the timer, the client leaves, a stray answer. */
function choices({ stage }: Play): (() => void)[] {
  const open = stage.sent.filter((one) => one.open);
  return [
    ...open.flatMap((one) => FATES.map((fate) => () => meet(stage, one, fate))),
    () => stage.until(stage.armedAtMs),
    () => stage.machine.onGone(),
    () => stage.answer(99, 'result'),
  ];
}

function meet(
  stage: Stage,
  one: { readonly attempt: number; readonly upstreamIndex: number },
  fate: (typeof FATES)[number],
): void {
  if (fate === 'lost') stage.fail(one.attempt, 'transport');
  else if (fate === 'unsent') stage.fail(one.attempt, 'transport', { unsent: true });
  else if (fate === 'http') stage.fail(one.attempt, 'http');
  else if (fate === 'down') stage.eject(one.upstreamIndex, 'down');
  else stage.answer(one.attempt, fate);
}

/** Notes what event `pick` is about to tell the machine. */
function note({ stage, facts }: Play, pick: number): void {
  const open = stage.sent.filter((one) => one.open);
  const one = open[Math.floor(pick / FATES.length)];
  if (one === undefined) {
    if (pick === open.length * FATES.length + 1) facts.gone = true;
    return;
  }
  const fate = FATES[pick % FATES.length];
  if (fate === 'result') facts.data = true;
  if (fate === 'null') facts.nothing = true;
  if (fate === 'down' && !facts.down.has(one.upstreamIndex)) facts.down.set(one.upstreamIndex, stage.sent.length);
  if (fate === 'unsent') facts.reached.splice(facts.reached.indexOf(one.upstreamIndex), 1);
}

function step(play: Play, pick: number): void {
  const before = play.stage.sent.length;
  note(play, pick);
  choices(play)[pick]?.();
  for (const one of play.stage.sent.slice(before)) play.facts.reached.push(one.upstreamIndex);
}

function fresh(method: MethodSpec, spare: number, path: readonly number[]): Play {
  const play = begin(method, spare);
  play.facts.reached.push(0);
  for (const pick of path) step(play, pick);
  return play;
}

function judge({ stage, facts }: Play, method: MethodSpec, spare: number): string | null {
  const [result, extra] = stage.results;
  if (result === undefined) return 'no end';
  if (extra !== undefined) return 'two ends';
  if (stage.nowMs > 5000) return 'after the deadline';
  if (stage.sent.length > MAX_ATTEMPTS) return 'too many sends';
  if (stage.sent.some((one) => one.open)) return 'an attempt is left open';
  if (stage.budget.spent > spare) return 'over budget';
  if (stage.budget.spent + stage.budget.free !== stage.sent.length - 1) return 'a send was not accounted';
  if (new Set(stage.sent.map((one) => one.upstreamIndex)).size !== stage.sent.length) return 'a node was asked twice';
  if (stage.table.entries.some((entry) => stage.book.inFlight(entry.index) !== 0))
    return 'the load book does not balance';
  if (!method.retryable && facts.reached.length > 1) return 'sent twice';
  for (const [upstream, sends] of facts.down) {
    if (stage.sent.slice(sends).some((one) => one.upstreamIndex === upstream)) return 'sent to a node that is down';
  }
  if (facts.gone) return result.kind === 'gone' ? null : 'answered to nobody';
  if (result.kind === 'gone') return 'gone by itself';
  if (facts.data)
    return result.kind === 'reply' && !result.reply.isNull && result.outcome.class === 'result'
      ? null
      : 'data was lost';
  if (facts.nothing) return result.kind === 'reply' && result.reply.isNull ? null : 'a null was beaten by an error';
  return null;
}

/** Plays every sequence of events up to `DEPTH`, then lets time run out; returns how many there were. */
function explore(method: MethodSpec, spare: number): number {
  let plays = 0;
  const visit = (path: readonly number[]): void => {
    const play = fresh(method, spare, path);
    if (play.stage.results.length === 0 && path.length < DEPTH) {
      const { length } = choices(play);
      for (let pick = 0; pick < length; pick++) visit([...path, pick]);
      return;
    }
    // late events after the end must change nothing
    if (play.stage.results.length > 0) for (const one of play.stage.sent) play.stage.answer(one.attempt, 'result');
    play.stage.until(5000);
    plays++;
    const wrong = judge(play, method, spare);
    if (wrong !== null) expect.fail(`${wrong} after ${path.join(' ')}:\n${play.stage.lines.join('\n')}`);
  };
  visit([]);
  return plays;
}

describe('every sequence of events in a world of three nodes', () => {
  it.each([
    ['a read', READ, 0],
    ['a read with budget', READ, 2],
    ['a look-up', LOOK_UP, 0],
    ['a look-up with budget', LOOK_UP, 2],
    ['a raw transaction', RAW_TRANSACTION, 1],
    ['a call that must not run twice', ONCE, 2],
  ] as const)('keeps the promises for %s', (_, method, spare) => {
    expect(explore(method, spare)).toBeGreaterThan(500);
  });
});
