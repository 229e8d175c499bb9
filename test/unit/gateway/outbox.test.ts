import { expect, it } from 'vitest';
import type { Compared } from '../../../src/cache/derive/proofs.ts';
import type { Outcome, OutcomeClass } from '../../../src/chain/outcome.ts';
import { Intake } from '../../../src/gateway/workers/intake.ts';
import { Outbox } from '../../../src/gateway/workers/outbox.ts';
import type { LocalChain } from '../../../src/gateway/localChain.ts';
import { GatewayMetrics } from '../../../src/observe/metrics.ts';
import { LoadBook } from '../../../src/route/loadBook.ts';

const outcome = (name: OutcomeClass, blame: boolean, holdMs = 0): Outcome => ({ class: name, retry: 'other', blame, unsent: false, holdMs });

/** A judging side that writes down what it is told. */
function desk() {
  const told: unknown[] = [];
  const book = new LoadBook(2);
  const watch = {
    onOutcome: (index: number, { class: name, blame, holdMs }: Outcome, latencyMs: number, nowMs: number) => told.push([index, name, blame, holdMs, latencyMs, nowMs]),
    onUnsupported: (...facts: readonly number[]) => told.push(['unsupported', ...facts]),
    onPruned: (...facts: readonly number[]) => told.push(['pruned', ...facts]),
    onSent: (hash: string, index: number) => told.push(['sent', hash, index]),
    onCompared: ({ client, same }: Compared) => told.push(['compared', client, same]),
    onWanted: () => told.push(['wanted']),
  };
  const chain = { watch, serving: { book } } as unknown as LocalChain;
  const metrics = new GatewayMetrics({ version: '1', processMetrics: false });
  const open = (): Intake => new Intake({ metrics, chain: (id) => (id === 5 ? chain : undefined), nowMs: () => 77 }, () => undefined);
  return { told, book, open };
}

it('the judge hears of another process what it would have heard in its own', () => {
  const { told, open } = desk();
  const box = new Outbox(5, () => undefined);
  box.onOutcome(1, outcome('result', false), 12.5);
  box.onOutcome(0, outcome('timeout', true), 900);
  box.onOutcome(0, outcome('throttled', false, 4000), 3);
  box.onUnsupported(1, 42);
  box.onPruned(0, 17_000_000);
  box.onSent('0xabc', 1);
  box.onCompared({ source: 's', target: 't', client: 'c', trait: '', key: 'k', same: true });
  box.onWanted();
  const report = box.take();
  open().onOutcomes(report === null ? [] : [structuredClone(report)]);
  expect(told).toEqual([
    [1, 'result', false, 0, 12.5, 77],
    [0, 'timeout', true, 0, 900, 77],
    [0, 'throttled', false, 4000, 3, 77],
    ['unsupported', 1, 42, 77],
    ['pruned', 0, 17_000_000, 77],
    ['sent', '0xabc', 1],
    ['compared', 'c', true],
    ['wanted'],
  ]);
  expect(box.take()).toBeNull();
});

it('what cannot wait is told at once, and what nobody takes stays bounded', () => {
  let hurried = 0;
  const box = new Outbox(5, () => hurried++);
  box.onOutcome(0, outcome('result', false), 1);
  expect(hurried).toBe(0);
  box.onOutcome(0, outcome('transport', true), 1);
  expect(hurried).toBe(1);
  for (let i = 0; i < 100_000; i++) box.onOutcome(0, outcome('result', false), 1);
  expect((box.take()?.outcomes.length ?? 0) / 5).toBe(16_384);
  box.onOutcome(0, outcome('result', false), 1);
  expect(box.take()?.outcomes.length).toBe(5);
});

it('calls in flight are the sum over the processes, without those that are gone', () => {
  const { book, open } = desk();
  const [one, two] = [open(), open()];
  const tell = (intake: Intake, ...inFlight: readonly number[]): void =>
    intake.onReport({ kind: 'report', counts: [], loads: [{ chain: 5, inFlight: Int32Array.from(inFlight) }, { chain: 6, inFlight: Int32Array.of(9) }], usage: { cpuMs: 0, rssBytes: 0 } });
  tell(one, 3, 1);
  tell(two, 2, 0, 4);
  tell(one, 1, 5);
  expect([0, 1, 2].map((index) => book.inFlight(index))).toEqual([3, 5, 4]);
  two.close();
  expect([0, 1, 2].map((index) => book.inFlight(index))).toEqual([1, 5, 0]);
});

it('a chain that was removed is nobody’s any more', () => {
  const { told, open } = desk();
  open().onOutcomes([{ chain: 6, outcomes: Float64Array.of(0, 0, 0, 0, 1), learnt: new Float64Array(0), sent: [['0x1', 0]], compared: [], flushed: false, wanted: true }]);
  expect(told).toEqual([]);
});
