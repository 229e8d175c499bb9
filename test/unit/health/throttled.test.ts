import { describe, expect, it } from 'vitest';
import type { ProbeResult } from '../../../src/health/probe.ts';
import { JudgeBench, REFUSED, probeOf } from '../../help/judge.ts';

const THROTTLED: ProbeResult = { kind: 'throttled', detail: 'HTTP status 429 without a JSON-RPC answer' };

describe('a probe that is asked too often', () => {
  it('takes no node down', () => {
    const bench = new JudgeBench(3).run(3000);
    let nth = 0;
    bench.says[0] = () => (nth++ % 4 === 0 ? probeOf(bench.tip) : THROTTLED);
    bench.run(30_000);
    expect(bench.state(0)).toBe('serving/ok');
    expect(bench.walk(0)).toEqual(['probation->serving/ok']);
  });

  it('takes it down when nothing else is heard of the node for long', () => {
    const bench = new JudgeBench(3).run(3000);
    bench.says[0] = () => THROTTLED;
    bench.run(60_000);
    expect(bench.state(0)).toBe('down/probe-bad');
  });

  it('brings no node back that refuses its probe', () => {
    const bench = new JudgeBench(3).run(3000);
    bench.says[0] = () => REFUSED;
    bench.run(5000);
    bench.says[0] = () => THROTTLED;
    bench.run(5000);
    expect(bench.state(0)).toBe('down/probe-refused');
  });
});
