import { expect, test } from 'vitest';
import { GatewayMetrics } from '../../../src/observe/metrics.ts';
import type { ChainMetrics } from '../../../src/observe/metrics.ts';
import { TallyTaker, TallyTeller } from '../../../src/observe/tally.ts';

const METHODS = ['eth_call', 'eth_getLogs'];

function make(): { metrics: GatewayMetrics; chain: ChainMetrics } {
  const metrics = new GatewayMetrics({ version: '1', processMetrics: false });
  return { metrics, chain: metrics.addChain('main', METHODS, ['a', 'b']) };
}

/** Counts something of every kind that serving counts. */
function serve({ metrics, chain }: ReturnType<typeof make>, times: number): void {
  for (let i = 0; i < times; i++) {
    metrics.onRefusal('overloaded');
    metrics.onClientGone();
    metrics.onBatch(3 + i);
    chain.onRequest(i % 3, 'result', 1.5 * i);
    chain.onUpstream(1, 'timeout', 20);
    chain.onUpstream(0, 'result', 2);
    chain.onRetry('timeout');
    chain.onHedge('won');
    chain.onRetryBudgetExhausted();
  }
}

const lines = async (metrics: GatewayMetrics): Promise<string[]> => (await metrics.text()).split('\n').filter((line) => !line.startsWith('#'));

test('one process shows the sum of what others counted, whenever they tell it', async () => {
  const [whole, sum, one, two] = [make(), make(), make(), make()];
  serve(whole, 12);
  const told = [one, two].map((worker) => ({ worker, teller: new TallyTeller(), taker: new TallyTaker() }));
  for (const [times, index] of [[3, 0], [4, 1], [2, 0]] as const) {
    const { worker, teller, taker } = told[index] as (typeof told)[number];
    serve(worker, times);
    taker.take(sum.metrics.scopes(), structuredClone(teller.changes(worker.metrics.scopes())));
    expect(teller.changes(worker.metrics.scopes())).toEqual([]);
  }
  serve(sum, 3);
  const seen = await lines(sum.metrics);
  // batch sizes and times differ by run: their sums and buckets are compared in the next test
  const comparable = (line: string): boolean => !line.startsWith('tidegate_batch_items') && !line.startsWith('tidegate_request_duration') && !line.startsWith('tidegate_method');
  expect(seen.filter(comparable)).toEqual((await lines(whole.metrics)).filter(comparable));
});

test('what one process tells whole is shown whole, histograms and methods too', async () => {
  const [sum, worker] = [make(), make()];
  serve(worker, 7);
  new TallyTaker().take(sum.metrics.scopes(), new TallyTeller().changes(worker.metrics.scopes()));
  expect(await lines(sum.metrics)).toEqual(await lines(worker.metrics));
});

test('levels of a process that is gone are taken back, its counts stay', async () => {
  const [sum, worker] = [make(), make()];
  const [teller, taker] = [new TallyTeller(), new TallyTaker()];
  const tell = (): void => taker.take(sum.metrics.scopes(), teller.changes(worker.metrics.scopes()));
  worker.metrics.setConnections(5);
  worker.metrics.setInFlight(2);
  worker.metrics.onClientGone();
  tell();
  worker.metrics.setConnections(3);
  tell();
  expect(await lines(sum.metrics)).toEqual(expect.arrayContaining(['tidegate_client_connections 3', 'tidegate_in_flight 2', 'tidegate_client_gone_total 1']));
  taker.retract();
  expect(await lines(sum.metrics)).toEqual(expect.arrayContaining(['tidegate_client_connections 0', 'tidegate_in_flight 0', 'tidegate_client_gone_total 1']));
});

test('counts for a chain or node that was removed are left out, the others count', async () => {
  const [sum, worker] = [make(), make()];
  serve(worker, 2);
  sum.chain.removeUpstream(1);
  const told = [...new TallyTeller().changes(worker.metrics.scopes()), { chain: 'gone', upstream: -1, changes: Float64Array.of(0, 1) }];
  new TallyTaker().take(sum.metrics.scopes(), told);
  const text = (await lines(sum.metrics)).join('\n');
  expect(text).not.toContain('upstream="b"');
  expect(text).toContain('tidegate_upstream_requests_total{chain="main",upstream="a",outcome="result"} 2');
});
