import { describe, expect, it } from 'vitest';
import { headAt } from '../../help/heads.ts';
import { HEALTH, JudgeBench, REFUSED, TIMEOUT, outcomeOf, probeOf, upstreamOf } from '../../help/judge.ts';

const LIE = 1_000_000;

describe('start', () => {
  it('serves nobody before the first probe, everybody who answered after it', () => {
    const bench = new JudgeBench(3);
    expect(bench.table.serving).toEqual([]);
    expect(bench.judge.tick(0).dueProbes).toEqual([0, 1, 2]);
    for (const index of [0, 1, 2]) bench.judge.onProbe(index, probeOf(100), 1);
    bench.now = 2;
    bench.beat();
    expect(bench.table.serving).toEqual([0, 1, 2]);
    expect(bench.table.trustedNumber).toBe(100);
    expect(bench.walk(0)).toEqual(['probation->serving/ok']);
  });

  it('with all dead serves nobody, keeps asking, and serves the first that answers', () => {
    const bench = new JudgeBench(3);
    for (const index of [0, 1, 2]) bench.says[index] = () => REFUSED;
    bench.run(5000);
    expect(bench.table.serving).toEqual([]);
    expect(bench.state(0)).toBe('down/probe-refused');
    bench.says[1] = () => probeOf(bench.tip);
    bench.run(1200);
    expect(bench.table.serving).toEqual([1]);
    expect(bench.table.panic).toBe(true);
    bench.run(30_000);
    expect(bench.state(1)).toBe('serving/ok');
    expect(bench.table.panic).toBe(false);
  });

  it('gives back the very table when nothing changed', () => {
    const bench = new JudgeBench(3);
    bench.frozenTip = 100;
    bench.run(3000);
    const { table } = bench;
    bench.run(1000);
    expect(bench.table).toBe(table);
    bench.frozenTip = 101;
    bench.run(1500);
    expect(bench.table).not.toBe(table);
    expect(bench.table.serving).toBe(table.serving);
  });
});

describe('down', () => {
  it('is noticed by one failed call and one probe', () => {
    const bench = new JudgeBench(3).run(3000);
    bench.says[0] = () => REFUSED;
    expect(bench.judge.onOutcome(0, outcomeOf('transport'), 1, bench.now)).toBe(true);
    bench.run(200);
    expect(bench.state(0)).toBe('down/probe-refused');
    expect(bench.table.serving).toEqual([1, 2]);
    expect(bench.table.entries[0]?.weight).toBe(0);
  });

  it('takes two probes without a failed call', () => {
    const bench = new JudgeBench(3).run(3000);
    let asked = 0;
    bench.says[0] = () => (++asked % 2 === 1 ? TIMEOUT : probeOf(bench.tip));
    bench.run(10_000);
    expect(bench.walk(0)).toEqual(['probation->serving/ok']);
    bench.says[0] = () => TIMEOUT;
    bench.run(3000);
    expect(bench.state(0)).toBe('down/probe-timeout');
  });

  it('forgives the calls that failed before, once the node answers again', () => {
    const bench = new JudgeBench(3).run(3000);
    bench.says[0] = () => REFUSED;
    bench.run(3000);
    expect(bench.state(0)).toBe('down/probe-refused');
    bench.calls(0, outcomeOf('transport'), 2 * HEALTH.failures.minSamples);
    bench.says[0] = () => probeOf(bench.tip);
    bench.run(10_000);
    expect(bench.walk(0).slice(1)).toEqual(['serving->down/probe-refused', 'down->probation/probe-refused', 'probation->ramping/ok']);
  });

  it('is not capped, and returns through probation and a ramp', () => {
    const bench = new JudgeBench(3).run(3000);
    for (const index of [0, 1]) bench.says[index] = () => REFUSED;
    bench.run(3000);
    expect(bench.table.serving).toEqual([2]);
    bench.says[0] = () => probeOf(bench.tip);
    const weights: number[] = [];
    for (let i = 0; i < 200; i++) weights.push(bench.run(100).table.entries[0]?.weight ?? -1);
    expect(bench.walk(0).slice(1)).toEqual([
      'serving->down/probe-refused',
      'down->probation/probe-refused',
      'probation->ramping/ok',
      'ramping->serving/ok',
    ]);
    const rising = weights.filter((weight, i) => weight !== weights[i - 1]);
    expect(rising).toEqual([...rising].sort((a, b) => a - b));
    expect(rising.length).toBeGreaterThan(8);
    expect(rising[1]).toBeLessThan(20);
    expect(rising.at(-1)).toBe(100);
  });
});

describe('lag', () => {
  it('ejects a follower held 10 blocks back and takes it in again', () => {
    const bench = new JudgeBench(3).run(30_000);
    bench.says[2] = () => probeOf(bench.tip - 10);
    bench.run(4000);
    expect(bench.state(2)).toMatch(/^ejected\/(lag|stalled)$/);
    expect(bench.judge.snapshot(bench.now)[2]).toMatchObject({ lagBlocks: 10 });
    expect(bench.table.serving).toEqual([0, 1]);
    bench.says[2] = () => probeOf(bench.tip);
    bench.run(6000);
    expect(bench.state(2)).toBe('ramping/ok');
    expect(bench.table.serving).toContain(2);
  });

  it('notices a stalled node within max(2 block times, 5 s) after the others moved on', () => {
    const bench = new JudgeBench(3).run(30_000);
    const stuck = bench.tip;
    bench.says[1] = () => probeOf(stuck);
    while (bench.tip === stuck) bench.run(100);
    bench.run(5900);
    expect(bench.state(1)).toMatch(/^ejected/);
  });

  it('does not mind a node that is one block behind for a moment, again and again', () => {
    const bench = new JudgeBench(3).run(10_000);
    bench.says[1] = () => probeOf(Math.floor((bench.now - 1500) / 2000) + 100);
    bench.run(120_000);
    expect(bench.walk(1)).toEqual(['probation->serving/ok']);
  });

  it('ejects nobody on a halted chain, and tells that it halted', () => {
    const bench = new JudgeBench(3).run(10_000);
    bench.frozenTip = bench.tip;
    bench.run(120_000);
    for (const index of [0, 1, 2]) expect(bench.walk(index)).toEqual(['probation->serving/ok']);
    expect(bench.events.some((event) => event.kind === 'head' && event.head.kind === 'halted')).toBe(true);
  });

  it('keeps a limit: half of the nodes stay in service, whatever is judged', () => {
    const bench = new JudgeBench(5).run(10_000);
    for (const index of [1, 2]) bench.says[index] = () => probeOf(bench.tip - 20 - index);
    bench.run(10_000);
    expect(bench.table.serving).toEqual([0, 3, 4]);
    const four = new JudgeBench(4).run(10_000);
    four.judge.tick(four.now);
    for (const index of [0, 1, 2]) four.calls(index, outcomeOf('node'), 40);
    four.run(500);
    expect(four.table.serving).toHaveLength(2);
  });
});

describe('heads that lie', () => {
  it('1,000,000 too high ejects nobody but the liar, of three', () => {
    const bench = new JudgeBench(3).run(10_000);
    bench.says[0] = () => probeOf(LIE + bench.tip);
    bench.run(60_000);
    expect(bench.state(0)).toBe('ejected/lying-head');
    for (const index of [1, 2]) expect(bench.walk(index)).toEqual(['probation->serving/ok']);
    expect(bench.table.trustedNumber).toBeLessThanOrEqual(bench.tip);
    expect(bench.table.trustedNumber).toBeGreaterThanOrEqual(bench.tip - 1);
  });

  it('ejects nobody but the liar, of two', () => {
    const bench = new JudgeBench(2).run(10_000);
    bench.says[0] = () => probeOf(LIE + bench.tip);
    bench.run(60_000);
    expect(bench.state(0)).toBe('ejected/lying-head');
    expect(bench.walk(1)).toEqual(['probation->serving/ok']);
  });

  it('a node on another branch is ejected, and returns when it is back', () => {
    const bench = new JudgeBench(3).run(10_000);
    bench.says[2] = () => probeOf(bench.tip, { head: headAt(bench.tip, 'fork', 105) });
    bench.run(10_000);
    expect(bench.state(2)).toBe('ejected/fork');
    bench.says[2] = () => probeOf(bench.tip);
    bench.run(30_000);
    expect(bench.state(2)).toBe('serving/ok');
  });

  it('a node on another chain never serves, not even in panic', () => {
    const bench = new JudgeBench(2);
    bench.says[0] = () => probeOf(5, { chainId: 2 });
    bench.run(5000);
    expect(bench.state(0)).toBe('ejected/wrong-chain');
    bench.says[1] = () => REFUSED;
    bench.run(5000);
    expect(bench.table.panic).toBe(true);
    expect(bench.table.serving).toEqual([]);
    bench.says[0] = () => probeOf(bench.tip);
    bench.run(20_000);
    expect(bench.table.serving).toEqual([0]);
  });

  it('a node that says it is syncing is ejected only while it is behind', () => {
    const bench = new JudgeBench(3).run(10_000);
    bench.says[1] = () => probeOf(bench.tip, { syncing: true });
    bench.run(10_000);
    expect(bench.state(1)).toBe('serving/ok');
    bench.says[1] = () => probeOf(bench.tip - 3, { syncing: true });
    bench.run(3000);
    expect(bench.state(1)).toBe('ejected/syncing');
  });
});

describe('calls', () => {
  it('eject a node that fails half of them, for longer each time', () => {
    const bench = new JudgeBench(3).run(3000);
    const outMs: number[] = [];
    for (let round = 0; round < 3; round++) {
      bench.calls(1, outcomeOf('node'), 15);
      bench.calls(1, outcomeOf('result'), 15);
      bench.run(100);
      expect(bench.state(1)).toBe('ejected/failures');
      const since = bench.now;
      while (bench.state(1).startsWith('ejected')) bench.run(100);
      outMs.push(bench.now - since);
      while (!bench.state(1).startsWith('ramping')) bench.run(100);
    }
    expect(outMs[0]).toBeGreaterThanOrEqual(9900);
    expect(outMs[1]).toBeGreaterThanOrEqual(19_900);
    expect(outMs[2]).toBeGreaterThanOrEqual(29_900);
    bench.run(200_000);
    expect(bench.judge.snapshot(bench.now)[1]?.ejections).toBe(0);
  });

  it('eject a node that begins to fail after a good half minute, within seconds', () => {
    const bench = new JudgeBench(3).run(3000);
    for (let i = 0; i < 250; i++) {
      bench.calls(1, outcomeOf('result'), 3);
      bench.run(100);
    }
    for (let i = 0; i < 40; i++) {
      bench.calls(1, outcomeOf('badJson'), 3);
      bench.run(100);
    }
    expect(bench.state(1)).toBe('ejected/failures');
  });

  it('never count when given up, and reverts, bad params and throttling are no failures', () => {
    const bench = new JudgeBench(3).run(3000);
    for (const kind of ['cancelled', 'chain', 'client', 'throttled'] as const) bench.calls(1, outcomeOf(kind), 200);
    bench.run(1000);
    expect(bench.state(1)).toBe('serving/ok');
    expect(bench.judge.snapshot(bench.now)[1]).toMatchObject({ failureRate: 0, samples: 400 });
  });

  it('that are throttled hold the node off without calling it ill', () => {
    const bench = new JudgeBench(3).run(3000);
    bench.calls(1, outcomeOf('throttled', 5000));
    bench.run(100);
    expect(bench.table.entries[1]?.heldUntilMs).toBe(8000);
    expect(bench.table.serving).toContain(1);
    bench.run(5100);
    expect(bench.table.entries[1]?.heldUntilMs).toBe(0);
  });

  it('that are as quick as the others do not make up for heads that come late', () => {
    const bench = new JudgeBench(3).run(3000);
    for (let i = 0; i < 20; i++) for (const index of [0, 1, 2]) bench.judge.onArrival(index, index === 2 ? 900 : 10 * index, bench.now);
    bench.run(100);
    expect(bench.judge.snapshot(bench.now).map(({ score }) => score)).toEqual([1, 1, 0.75]);
    expect(bench.state(2)).toBe('serving/ok');
    // it told of none by itself for two minutes: nothing is known of it
    bench.run(130_000);
    expect(bench.judge.snapshot(bench.now)[2]).toMatchObject({ score: 1, arrivalMs: 0 });
  });

  it('that are much slower than the peers eject the node', () => {
    const bench = new JudgeBench(3).run(3000);
    for (const index of [0, 1]) bench.calls(index, outcomeOf('result'), 60, 50);
    bench.calls(2, outcomeOf('result'), 60, 1500);
    bench.run(100);
    expect(bench.state(2)).toBe('ejected/latency');
    expect(bench.judge.snapshot(bench.now)[2]?.why).toContain('slower than its peers');
  });

  it('set the times for attempts and hedges', () => {
    const bench = new JudgeBench(1).run(3000);
    expect(bench.table.entries[0]).toMatchObject({ attemptTimeoutMs: 15_000, hedgeDelayMs: 2000 });
    bench.calls(0, outcomeOf('result'), 100, 100);
    bench.run(100);
    expect(bench.table.entries[0]?.attemptTimeoutMs).toBe(500);
    expect(bench.table.entries[0]?.hedgeDelayMs).toBeCloseTo(150, -1);
  });
});

describe('operators', () => {
  it('cordon a node, which is probed still, and let it in again', () => {
    const bench = new JudgeBench(2).run(3000);
    bench.judge.cordon(0, bench.now);
    bench.run(100);
    expect(bench.table.serving).toEqual([1]);
    expect(bench.table.panic).toBe(false);
    bench.says[1] = () => REFUSED;
    bench.run(5000);
    expect(bench.table.serving).toEqual([]);
    bench.says[1] = () => probeOf(bench.tip);
    bench.judge.uncordon(0, bench.now);
    bench.run(30_000);
    expect(bench.walk(0).slice(1)).toEqual(['serving->cordoned/operator', 'cordoned->probation/operator', 'probation->ramping/ok', 'ramping->serving/ok']);
  });

  it('weigh a node anew, down to nothing', () => {
    const bench = new JudgeBench(2).run(3000);
    bench.judge.setWeight(0, 25);
    bench.run(100);
    expect(bench.table.entries.map((entry) => entry.weight)).toEqual([25, 100]);
    bench.judge.setWeight(0, 0);
    bench.run(100);
    expect(bench.table.serving).toEqual([1]);
    expect(bench.state(0)).toBe('serving/ok');
    bench.judge.setWeight(0, 50);
    bench.run(100);
    expect(bench.table.serving).toEqual([0, 1]);
    bench.judge.setWeight(7, 50);
  });

  it('add and remove upstreams without moving the indices', () => {
    const bench = new JudgeBench(2).run(3000);
    bench.judge.remove(0);
    const index = bench.judge.add(upstreamOf('new'), bench.now);
    bench.says[index] = () => probeOf(bench.tip);
    bench.run(2000);
    expect(index).toBe(2);
    expect(bench.table.entries.map((entry) => entry.name)).toEqual(['a', 'b', 'new']);
    expect(bench.table.serving).toEqual([1, 2]);
    expect(bench.table.entries[0]?.weight).toBe(0);
    expect(bench.judge.snapshot(bench.now).map((report) => report.name)).toEqual(['b', 'new']);
    expect(bench.judge.onProbe(0, probeOf(1), bench.now)).toBe(false);
  });
});

describe('tiers', () => {
  it('a lower tier serves only while none above can, and gives back after a while', () => {
    const bench = new JudgeBench([upstreamOf('main'), upstreamOf('spare', { tier: 1 })]).run(3000);
    expect(bench.table.serving).toEqual([0]);
    bench.says[0] = () => REFUSED;
    bench.run(3000);
    expect(bench.table.serving).toEqual([1]);
    bench.says[0] = () => probeOf(bench.tip);
    bench.run(25_000);
    expect(bench.state(0)).toBe('serving/ok');
    expect(bench.table.serving).toEqual([1]);
    bench.run(15_000);
    expect(bench.table.serving).toEqual([0]);
  });

  it('weight 0 gets no traffic', () => {
    const bench = new JudgeBench([upstreamOf('main'), upstreamOf('off', { weight: 0 })]).run(3000);
    expect(bench.table.serving).toEqual([0]);
  });
});

describe('panic', () => {
  it('lets judged nodes that answer serve when the others went down', () => {
    const bench = new JudgeBench(4, { health: { ...HEALTH, ejection: { ...HEALTH.ejection, panicShare: 0.5 } } }).run(10_000);
    for (const index of [2, 3]) bench.calls(index, outcomeOf('node'), 40);
    bench.run(200);
    expect(bench.table.serving).toEqual([0, 1]);
    expect(bench.table.panic).toBe(false);
    bench.says[0] = () => REFUSED;
    bench.calls(0, outcomeOf('transport'));
    bench.run(500);
    expect(bench.table.panic).toBe(true);
    expect(bench.table.serving[0]).toBe(1);
    expect([...bench.table.serving].sort()).toEqual([1, 2, 3]);
    for (const index of [2, 3]) expect(bench.table.entries[index]?.weight).toBeGreaterThan(0);
    expect(bench.events.filter((event) => event.kind === 'panic').map((event) => event.kind === 'panic' && event.on)).toEqual([true]);
  });
});
