import { describe, expect, it } from 'vitest';
import { FAULTS } from '../../../src/base/fault.ts';
import type { ChainMetrics } from '../../../src/observe/chainMetrics.ts';
import { GatewayMetrics } from '../../../src/observe/metrics.ts';
import { METRICS } from '../../../src/observe/metricTable.ts';

/** Lines of a scrape that begin with a prefix, without comments. */
async function lines(metrics: GatewayMetrics, prefix: string): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(prefix));
}

/** The value of one series, by its whole name. */
async function value(metrics: GatewayMetrics, series: string): Promise<number> {
  const line = (await metrics.text()).split('\n').find((each) => each.startsWith(`${series} `));
  if (line === undefined) throw new Error(`no series ${series}`);
  return Number(line.slice(series.length + 1));
}

function gateway(): { metrics: GatewayMetrics; chain: ChainMetrics } {
  const metrics = new GatewayMetrics({ version: '1.2.3', processMetrics: false });
  return { metrics, chain: metrics.addChain('main', ['eth_call', 'eth_chainId'], ['a', 'b']) };
}

describe('a fresh gateway', () => {
  it('exposes every metric of the table with its type and help', async () => {
    const { metrics } = gateway();
    const text = await metrics.text();
    for (const spec of Object.values(METRICS)) {
      expect(text).toContain(`# TYPE ${spec.name} ${spec.type}\n`);
      expect(text).toContain(`# HELP ${spec.name} ${spec.help}`);
    }
  });

  it('has every series at zero, and none with a method', async () => {
    const { metrics } = gateway();
    const outcomes = await lines(metrics, 'tidegate_requests_total{');
    expect(outcomes).toContain('tidegate_requests_total{chain="main",outcome="result"} 0');
    expect(outcomes).toHaveLength(3 + Object.keys(FAULTS).length);
    expect(await lines(metrics, 'tidegate_upstream_requests_total{')).toHaveLength(2 * 15);
    expect(await lines(metrics, 'tidegate_ejections_total{')).toHaveLength(2 * 11);
    expect(await lines(metrics, 'tidegate_refusals_total{')).toHaveLength(Object.keys(FAULTS).length);
    expect(await lines(metrics, 'tidegate_retries_total{')).toHaveLength(12);
    expect(await lines(metrics, 'tidegate_hedges_total{')).toHaveLength(2);
    expect(await lines(metrics, 'tidegate_method_requests_total{')).toEqual([]);
    expect(await value(metrics, 'tidegate_upstream_request_duration_seconds_count{chain="main",upstream="b"}')).toBe(0);
    expect(await value(metrics, 'tidegate_trusted_head_block{chain="main"}')).toBe(-1);
    expect(await value(metrics, `tidegate_build_info{version="1.2.3",node_version="${process.version}"}`)).toBe(1);
  });

  it('tells of the process when asked to', async () => {
    const metrics = new GatewayMetrics({ version: '1', processMetrics: true });
    expect(await value(metrics, 'process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(metrics.contentType).toContain('text/plain');
  });
});

describe('counting', () => {
  it('counts calls by outcome and by method, unknown methods as other', async () => {
    const { metrics, chain } = gateway();
    chain.onRequest(0, 'result', 1);
    chain.onRequest(0, 'error', 1);
    chain.onRequest(7, 'deadline', 1);
    chain.onRequest(-1, 'gone', 1);
    expect(await lines(metrics, 'tidegate_method_requests_total{')).toEqual([
      'tidegate_method_requests_total{chain="main",method="eth_call"} 2',
      'tidegate_method_requests_total{chain="main",method="other"} 2',
    ]);
    for (const outcome of ['result', 'error', 'deadline', 'gone']) {
      expect(await value(metrics, `tidegate_requests_total{chain="main",outcome="${outcome}"}`)).toBe(1);
    }
    expect(await value(metrics, 'tidegate_request_duration_seconds_count{chain="main"}')).toBe(4);
  });

  it('sorts durations into cumulative buckets, bounds included', async () => {
    const { metrics, chain } = gateway();
    for (const ms of [0, -1, Number.NaN, 0.25, 0.26, 0.5, 0.51, 1, 1.01, 32_768, 32_769, 1e12]) chain.onRequest(0, 'result', ms);
    const bucket = (le: string): Promise<number> => value(metrics, `tidegate_request_duration_seconds_bucket{chain="main",le="${le}"}`);
    expect(await bucket('0.00025')).toBe(4);
    expect(await bucket('0.0005')).toBe(6);
    expect(await bucket('0.001')).toBe(8);
    expect(await bucket('0.002')).toBe(9);
    expect(await bucket('16.384')).toBe(9);
    expect(await bucket('32.768')).toBe(10);
    expect(await bucket('+Inf')).toBe(12);
    const sum = await value(metrics, 'tidegate_request_duration_seconds_sum{chain="main"}');
    expect(sum).toBeCloseTo((0.25 + 0.26 + 0.5 + 0.51 + 1 + 1.01 + 32_768 + 32_769 + 1e12) / 1000, 3);
  });

  it('counts attempts at each upstream, and leaves cancelled ones out of the durations', async () => {
    const { metrics, chain } = gateway();
    chain.onUpstream(1, 'result', 3);
    chain.onUpstream(1, 'timeout', 500);
    chain.onUpstream(1, 'cancelled', 20);
    chain.onUpstream(9, 'result', 3);
    for (const outcome of ['result', 'timeout', 'cancelled']) {
      expect(await value(metrics, `tidegate_upstream_requests_total{chain="main",upstream="b",outcome="${outcome}"}`)).toBe(1);
      expect(await value(metrics, `tidegate_upstream_requests_total{chain="main",upstream="a",outcome="${outcome}"}`)).toBe(0);
    }
    expect(await value(metrics, 'tidegate_upstream_request_duration_seconds_count{chain="main",upstream="b"}')).toBe(2);
  });

  it('counts what has no chain, retries, hedges and the budget', async () => {
    const { metrics, chain } = gateway();
    metrics.onRefusal('parse');
    metrics.onClientGone();
    metrics.onBatch(3);
    metrics.onBatch(5000);
    metrics.setConnections(7);
    metrics.setInFlight(8);
    chain.onRetry('transport');
    chain.onRetry('null');
    chain.onHedge('won');
    chain.onRetryBudgetExhausted();
    expect(await value(metrics, 'tidegate_refusals_total{kind="parse"}')).toBe(1);
    expect(await value(metrics, 'tidegate_client_gone_total')).toBe(1);
    expect(await value(metrics, 'tidegate_batch_items_bucket{le="2"}')).toBe(0);
    expect(await value(metrics, 'tidegate_batch_items_bucket{le="4"}')).toBe(1);
    expect(await value(metrics, 'tidegate_batch_items_bucket{le="4096"}')).toBe(1);
    expect(await value(metrics, 'tidegate_batch_items_sum')).toBe(5003);
    expect(await value(metrics, 'tidegate_client_connections')).toBe(7);
    expect(await value(metrics, 'tidegate_in_flight')).toBe(8);
    expect(await value(metrics, 'tidegate_retries_total{chain="main",reason="null"}')).toBe(1);
    expect(await value(metrics, 'tidegate_hedges_total{chain="main",outcome="won"}')).toBe(1);
    expect(await value(metrics, 'tidegate_retry_budget_exhausted_total{chain="main"}')).toBe(1);
  });

  it('follows what the judge tells', async () => {
    const { metrics, chain } = gateway();
    const state = { kind: 'state', index: 0, name: 'a', from: 'serving', why: '' } as const;
    chain.onJudgeEvent({ ...state, to: 'ejected', reason: 'lag' });
    chain.onJudgeEvent({ ...state, to: 'down', reason: 'probe-refused' });
    chain.onJudgeEvent({ ...state, to: 'serving', reason: 'ok' });
    chain.onJudgeEvent({ kind: 'panic', on: true, serving: 1, total: 3 });
    chain.onJudgeEvent({ kind: 'head', head: { kind: 'advanced', number: 20, hash: '0x' } });
    chain.onJudgeEvent({ kind: 'head', head: { kind: 'finalized', number: 11, hash: '0x' } });
    chain.onJudgeEvent({ kind: 'head', head: { kind: 'reorg', fromNumber: 18, depth: 3, oldHashes: [], number: 19, hash: '0x', finalityBroken: false } });
    expect(await value(metrics, 'tidegate_finality_breaks_total{chain="main"}')).toBe(0);
    chain.onJudgeEvent({ kind: 'head', head: { kind: 'reorg', fromNumber: 9, depth: 3, oldHashes: [], number: 19, hash: '0x', finalityBroken: true } });
    const main = 'chain="main"';
    expect(await value(metrics, `tidegate_finality_breaks_total{${main}}`)).toBe(1);
    expect(await value(metrics, `tidegate_ejections_total{${main},upstream="a",reason="lag"}`)).toBe(1);
    expect(await value(metrics, `tidegate_ejections_total{${main},upstream="a",reason="probe-refused"}`)).toBe(1);
    expect(await value(metrics, `tidegate_panic{${main}}`)).toBe(1);
    expect(await value(metrics, `tidegate_trusted_head_block{${main}}`)).toBe(19);
    expect(await value(metrics, `tidegate_trusted_finalized_block{${main}}`)).toBe(11);
    expect(await value(metrics, `tidegate_reorgs_total{${main}}`)).toBe(2);
    expect(await value(metrics, `tidegate_reorg_depth_bucket{${main},le="2"}`)).toBe(0);
    expect(await value(metrics, `tidegate_reorg_depth_bucket{${main},le="4"}`)).toBe(2);
  });
});

describe('gauges of an upstream', () => {
  it('are set before each scrape and show exactly one state', async () => {
    const { metrics, chain } = gateway();
    let headNumber = 5;
    metrics.beforeScrape(() => {
      chain.setUpstream(0, { state: 'ejected', headNumber: headNumber++, lagBlocks: 2, lagSeconds: 1.5, weight: 0, score: 0.25 });
      chain.setUpstreamInFlight(0, 6);
    });
    const labels = '{chain="main",upstream="a"}';
    expect(await value(metrics, `tidegate_upstream_head_block${labels}`)).toBe(5);
    expect(await value(metrics, `tidegate_upstream_head_block${labels}`)).toBe(6);
    expect(await value(metrics, `tidegate_upstream_head_lag_blocks${labels}`)).toBe(2);
    expect(await value(metrics, `tidegate_upstream_head_lag_seconds${labels}`)).toBe(1.5);
    expect(await value(metrics, `tidegate_upstream_score${labels}`)).toBe(0.25);
    expect(await value(metrics, `tidegate_upstream_in_flight${labels}`)).toBe(6);
    const states = await lines(metrics, 'tidegate_upstream_state{chain="main",upstream="a"');
    expect(states.filter((line) => line.endsWith(' 1'))).toEqual(['tidegate_upstream_state{chain="main",upstream="a",state="ejected"} 1']);
    expect(states).toHaveLength(6);
  });

  it('come and go with the upstream', async () => {
    const { metrics, chain } = gateway();
    chain.addUpstream(2, 'c "quoted"');
    chain.removeUpstream(0);
    chain.onUpstream(0, 'result', 1);
    expect(await lines(metrics, 'tidegate_upstream_weight{')).toEqual([
      'tidegate_upstream_weight{chain="main",upstream="b"} 0',
      'tidegate_upstream_weight{chain="main",upstream="c \\"quoted\\""} 0',
    ]);
    metrics.removeChain('main');
    expect(await lines(metrics, 'tidegate_requests_total')).toEqual([]);
  });

  it('a chain cannot be added twice', () => {
    const { metrics } = gateway();
    expect(() => metrics.addChain('main', [], [])).toThrow('chain main was added twice');
  });
});
