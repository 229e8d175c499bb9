import fc from 'fast-check';
import { build } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { BlockTime } from '../../../src/chain/blockTime.ts';
import { Doubt } from '../../../src/health/doubt.ts';
import { chooseEjected, inPanic } from '../../../src/health/eject.ts';
import { ThrottleHold } from '../../../src/health/hold.ts';
import { LatencyWindow } from '../../../src/health/latency.ts';
import { isLatencyOutlier, median } from '../../../src/health/outlier.ts';
import { NodePace } from '../../../src/health/pace.ts';
import { ProbeSchedule, probeIntervalMs } from '../../../src/health/schedule.ts';
import { ArrivalDelay } from '../../../src/health/arrival.ts';
import { quantizeScore, rawScore } from '../../../src/health/score.ts';
import { TierSwitch } from '../../../src/health/tiers.ts';
import { HEALTH, PACE } from '../../help/judge.ts';

describe('BlockTime', () => {
  it('averages the pace after three samples, and takes neither bursts nor pauses', () => {
    const time = new BlockTime(0);
    time.onAdvance(1, 2000, 2000);
    time.onAdvance(2, 4000, 4000);
    expect(time.ms).toBe(0);
    time.onAdvance(1, 2000, 2000);
    expect(time.ms).toBe(2000);
    time.onAdvance(1000, 500, 2_000_000);
    time.onAdvance(1, 500_000, 2000);
    time.onAdvance(10, 1000, 20_000);
    expect(time.ms).toBe(2000);
    time.onAdvance(1, 1000, 1000);
    expect(time.ms).toBe(1900);
  });

  it('is what was configured', () => {
    expect(new BlockTime(12_000).ms).toBe(12_000);
  });
});

describe('LatencyWindow', () => {
  it('tells quantiles within two digits and forgets after the window', () => {
    const window = new LatencyWindow(60_000);
    window.tick(0);
    for (let ms = 1; ms <= 1000; ms++) window.record(ms);
    expect(window.quantile(0.5)).toBeGreaterThan(490);
    expect(window.quantile(0.5)).toBeLessThan(510);
    expect(window.quantile(0.99)).toBeGreaterThan(980);
    window.tick(30_000);
    expect(window.count).toBe(1000);
    window.record(5);
    expect(window.count).toBe(1001);
    window.tick(60_000);
    expect(window.count).toBe(1);
    expect(window.quantile(0.99)).toBeCloseTo(5, 0);
    window.tick(400_000);
    expect(window.count).toBe(0);
    expect(window.quantile(0.5)).toBe(0);
  });

  it('tells each quantile as a histogram of two digits does', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 120_000, noNaN: true }), { minLength: 1, maxLength: 50 }), fc.integer({ min: 0, max: 100 }), (all, percent) => {
      const window = new LatencyWindow(60_000);
      const histogram = build({ bitBucketSize: 32, autoResize: false, lowestDiscernibleValue: 1, highestTrackableValue: 12_000_000, numberOfSignificantValueDigits: 2, useWebAssembly: false });
      for (const ms of all) {
        window.record(ms);
        histogram.recordValue(Math.round(ms * 100));
      }
      expect(window.count).toBe(all.length);
      expect(window.quantile(percent / 100)).toBe(histogram.getValueAtPercentile((percent / 100) * 100) / 100);
    }));
  });

  it('clamps what is out of range', () => {
    const window = new LatencyWindow(1000);
    window.record(-3);
    window.record(1e12);
    expect(window.count).toBe(2);
    expect(window.quantile(1)).toBeGreaterThan(100_000);
  });
});

describe('ThrottleHold', () => {
  it('doubles from 1 s to 60 s without a Retry-After, and starts anew after an answer', () => {
    const hold = new ThrottleHold(() => 0);
    let now = 0;
    const lengths: number[] = [];
    for (let i = 0; i < 8; i++) {
      hold.onThrottled(0, now);
      lengths.push(hold.untilMs(now) - now);
      now = hold.untilMs(now);
    }
    expect(lengths).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    hold.onAnswered(now);
    hold.onThrottled(0, now);
    expect(hold.untilMs(now) - now).toBe(1000);
  });

  it('never ends before Retry-After, and is not doubled by calls that were under way', () => {
    const hold = new ThrottleHold(seededRandom(1));
    hold.onThrottled(7000, 0);
    for (let i = 0; i < 20; i++) hold.onThrottled(0, 10 + i);
    expect(hold.untilMs(100)).toBe(7000);
    hold.onThrottled(9000, 100);
    expect(hold.untilMs(100)).toBe(9100);
    expect(hold.untilMs(9100)).toBe(0);
  });
});

describe('outliers', () => {
  const own = { medianMs: 900, samples: 50 };
  it('needs a floor, a factor over the median of the peers, samples and peers', () => {
    expect(isLatencyOutlier(own, [100, 120, 5000], HEALTH.latency)).toBe(true);
    expect(isLatencyOutlier({ ...own, samples: 49 }, [100], HEALTH.latency)).toBe(false);
    expect(isLatencyOutlier(own, [], HEALTH.latency)).toBe(false);
    expect(isLatencyOutlier(own, [300], HEALTH.latency)).toBe(false);
    expect(isLatencyOutlier({ medianMs: 199, samples: 50 }, [1], HEALTH.latency)).toBe(false);
    expect(median([3, 1, 2])).toBe(2);
  });
});

describe('the limit on ejections', () => {
  const accused = (index: number, reason: 'lag' | 'fork' | 'failures', extent = 1) => ({ index, reason, extent });
  it('lets half go, the gravest first', () => {
    const all = [accused(0, 'failures'), accused(1, 'lag', 5), accused(2, 'lag', 50), accused(3, 'fork')];
    expect(chooseEjected(all, 4, 0, HEALTH.ejection).map((a) => a.index)).toEqual([3, 2]);
    expect(chooseEjected(all, 4, 1, HEALTH.ejection).map((a) => a.index)).toEqual([3]);
    expect(chooseEjected(all, 4, 2, HEALTH.ejection)).toEqual([]);
  });

  it('lets one of two go and never the last', () => {
    expect(chooseEjected([accused(0, 'lag')], 2, 0, HEALTH.ejection)).toHaveLength(1);
    expect(chooseEjected([accused(0, 'lag')], 1, 0, HEALTH.ejection)).toEqual([]);
    expect(chooseEjected([accused(0, 'lag'), accused(1, 'lag')], 2, 0, { ...HEALTH.ejection, maxShare: 1 })).toHaveLength(1);
    expect(chooseEjected([accused(0, 'lag')], 2, 0, { ...HEALTH.ejection, maxShare: 0 })).toEqual([]);
  });

  it('panics below the share, and with nobody in service', () => {
    expect(inPanic(1, 3, HEALTH.ejection)).toBe(false);
    expect(inPanic(1, 4, HEALTH.ejection)).toBe(true);
    expect(inPanic(0, 1, HEALTH.ejection)).toBe(true);
    expect(inPanic(0, 0, HEALTH.ejection)).toBe(false);
  });
});

describe('score', () => {
  it('is full for a fit node and falls with each fault', () => {
    const fit = { failureRate: 0, latencyRatio: 1, lagBlocks: 0, arrivalMs: 0, blockTimeMs: 2000, throttled: false };
    expect(rawScore(fit)).toBe(1);
    expect(rawScore({ ...fit, failureRate: 0.5 })).toBe(0.25);
    expect(rawScore({ ...fit, latencyRatio: 3 })).toBe(0.5);
    expect(rawScore({ ...fit, lagBlocks: 2 })).toBe(0.8);
    expect(rawScore({ ...fit, throttled: true })).toBe(0.5);
  });

  it('counts lateness with blocks by the block time, beyond 50 ms and a tenth of it, down to three quarters', () => {
    const at = (arrivalMs: number, blockTimeMs = 2000): number => rawScore({ failureRate: 0, latencyRatio: 1, lagBlocks: 0, throttled: false, arrivalMs, blockTimeMs });
    expect([at(0), at(200), at(50, 100), at(5000, 0)]).toEqual([1, 1, 1, 1]);
    expect(at(400)).toBeCloseTo(0.9);
    expect([at(900), at(1e6)]).toEqual([0.75, 0.75]);
  });

  it('takes the mean of the newest blocks for lateness, each for at most a block time, and forgets it in silence', () => {
    const arrival = new ArrivalDelay();
    for (let i = 0; i < 7; i++) arrival.onTold(300, 2000, i);
    expect(arrival.meanMs(10)).toBe(0);
    arrival.onTold(300, 2000, 10);
    expect(arrival.meanMs(10)).toBe(300);
    for (let i = 0; i < 100; i++) arrival.onTold(100, 2000, 20);
    expect(arrival.meanMs(20)).toBeCloseTo(100, 0);
    arrival.onTold(1e9, 2000, 30);
    expect(arrival.meanMs(30)).toBeLessThan(250);
    expect(arrival.meanMs(200_000)).toBe(0);
    arrival.onTold(5, 2000, 200_000);
    expect(arrival.meanMs(200_000)).toBe(0);
  });

  it('moves in eighths, never to nothing, and not for small changes', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 50 }), (raws) => {
        let current = 1;
        for (const raw of raws) {
          const next = quantizeScore(raw, current);
          expect(next * 8).toBe(Math.round(next * 8));
          expect(next).toBeGreaterThanOrEqual(1 / 8);
          if (next !== current) expect(Math.abs(raw - current)).toBeGreaterThanOrEqual(0.75 / 8);
          expect(quantizeScore(raw, next)).toBe(next);
          current = next;
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('ProbeSchedule', () => {
  it('follows the block time within bounds', () => {
    expect(probeIntervalMs(0, 0)).toBe(1000);
    expect(probeIntervalMs(0, 2000)).toBe(1000);
    expect(probeIntervalMs(0, 100)).toBe(250);
    expect(probeIntervalMs(0, 600_000)).toBe(5000);
    expect(probeIntervalMs(300, 12_000)).toBe(300);
  });

  it('probes a new node at once, then after about the interval, never twice at a time', () => {
    const schedule = new ProbeSchedule(2000, () => 0.5);
    schedule.add(0, 0);
    expect(schedule.takeDue(0)).toEqual([0]);
    expect(schedule.takeDue(1000)).toEqual([]);
    schedule.onResult(0, 1000, 1000);
    expect(schedule.takeDue(1999)).toEqual([]);
    expect(schedule.takeDue(2000)).toEqual([0]);
    // Its result is lost: given up after twice the timeout and a second.
    expect(schedule.takeDue(7000)).toEqual([]);
    expect(schedule.takeDue(7001)).toEqual([0]);
  });

  it('hurries after a failed call, once, and first', () => {
    const schedule = new ProbeSchedule(2000, () => 0.5);
    for (const index of [0, 1]) schedule.add(index, 0);
    schedule.takeDue(0);
    for (const index of [0, 1]) schedule.onResult(index, 1000, 50);
    expect(schedule.hurry(1, 60)).toBe(true);
    expect(schedule.hurry(1, 60)).toBe(false);
    expect(schedule.takeDue(149)).toEqual([]);
    expect(schedule.takeDue(150)).toEqual([1]);
    expect(schedule.hurry(1, 151)).toBe(false);
  });

  it('has at most eight under way', () => {
    const schedule = new ProbeSchedule(2000, () => 0);
    for (let index = 0; index < 20; index++) schedule.add(index, 0);
    expect(schedule.takeDue(0)).toHaveLength(8);
    expect(schedule.takeDue(0)).toEqual([]);
    schedule.onResult(3, 1000, 1);
    expect(schedule.takeDue(1)).toHaveLength(1);
  });
});

describe('TierSwitch', () => {
  it('falls to the lower tier at once and gives back only after the better one could serve for a while', () => {
    const tiers = new TierSwitch(30_000);
    const both = [{ tier: 1 }, { tier: 0 }];
    expect(tiers.choose(both, 0)).toBe(0);
    expect(tiers.choose([{ tier: 1 }], 1000)).toBe(1);
    expect(tiers.choose(both, 2000)).toBe(1);
    expect(tiers.choose([{ tier: 1 }], 20_000)).toBe(1);
    expect(tiers.choose(both, 25_000)).toBe(1);
    expect(tiers.choose(both, 54_999)).toBe(1);
    expect(tiers.choose(both, 55_000)).toBe(0);
    expect(tiers.choose([], 56_000)).toBe(Number.POSITIVE_INFINITY);
  });

  it('lets a better tier that never had the traffic take it at once', () => {
    const tiers = new TierSwitch(30_000);
    expect(tiers.choose([{ tier: 1 }], 0)).toBe(1);
    expect(tiers.choose([{ tier: 1 }, { tier: 0 }], 10)).toBe(0);
  });

  it('uses the better tier at once when the one in use is gone', () => {
    const tiers = new TierSwitch(30_000);
    tiers.choose([{ tier: 2 }], 0);
    expect(tiers.choose([{ tier: 1 }], 1)).toBe(1);
  });
});

describe('Doubt', () => {
  it('becomes a verdict only when it lasts over two reports, and ends at once', () => {
    const doubt = new Doubt();
    expect(doubt.judge(true, 5000, 0)).toBe(false);
    doubt.onReport();
    expect(doubt.judge(true, 5000, 9000)).toBe(false);
    doubt.onReport();
    expect(doubt.judge(true, 5000, 9000)).toBe(true);
    expect(doubt.judge(false, 5000, 9001)).toBe(false);
    expect(doubt.judge(true, 5000, 9002)).toBe(false);
  });
});

describe('NodePace', () => {
  it('takes the longest times until the node is known, then its own, within bounds and without stirring', () => {
    const pace = new NodePace(PACE);
    const latency = new LatencyWindow(60_000);
    pace.update(latency);
    expect([pace.attemptTimeoutMs, pace.hedgeDelayMs]).toEqual([15_000, 2000]);
    for (let i = 0; i < 100; i++) latency.record(200);
    pace.update(latency);
    const first = [pace.attemptTimeoutMs, pace.hedgeDelayMs];
    expect(first[0]).toBeGreaterThan(790);
    expect(first[0]).toBeLessThan(815);
    expect(first[1]).toBeGreaterThan(295);
    expect(first[1]).toBeLessThan(310);
    for (let i = 0; i < 400; i++) latency.record(208);
    pace.update(latency);
    expect([pace.attemptTimeoutMs, pace.hedgeDelayMs]).toEqual(first);
    latency.clear();
    for (let i = 0; i < 100; i++) latency.record(0.2);
    pace.update(latency);
    expect([pace.attemptTimeoutMs, pace.hedgeDelayMs]).toEqual([500, 20]);
  });
});
