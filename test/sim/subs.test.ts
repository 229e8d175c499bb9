import { describe, expect, it } from 'vitest';
import { simulateSubs } from './subsSimulate.ts';

const only = process.env['SIM_SEED'];
const count = Number(process.env['SIM_SEEDS'] ?? 300);
const first = only === undefined ? 1 : Number(only);
const last = only === undefined ? count : first;
const CHUNK = 50;

describe('subscriptions in virtual time', () => {
  for (let from = first; from <= last; from += CHUNK) {
    const to = Math.min(last, from + CHUNK - 1);
    it(`seeds ${from} to ${to}`, () => {
      const bad: string[] = [];
      let [notices, streams, excused] = [0, 0, 0];
      for (let seed = from; seed <= to; seed++) {
        const run = simulateSubs(seed);
        notices += run.notices;
        streams += run.streams;
        excused += run.excused;
        if (run.faults.length > 0) bad.push(`SIM_SEED=${seed} npx vitest run --project sim\n${JSON.stringify(run.plan)}\n  ! ${run.faults.join('\n  ! ')}`);
      }
      expect(bad.join('\n\n')).toBe('');
      expect(notices).toBeGreaterThan(0);
      expect(excused).toBeLessThan(streams);
    });
  }

  it('plays the same seed the same way', () => {
    expect(simulateSubs(7)).toEqual(simulateSubs(7));
  });
});
