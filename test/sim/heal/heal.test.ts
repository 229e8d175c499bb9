import { describe, expect, it } from 'vitest';
import { SimCluster } from './cluster.ts';

const only = process.env['SIM_SEED'];
const count = Math.min(10_000, Number(process.env['SIM_SEEDS'] ?? 200));
const first = only === undefined ? 1 : Number(only);
const last = only === undefined ? count : first;
const CHUNK = 100;

describe('healing in virtual time', () => {
  for (let from = first; from <= last; from += CHUNK) {
    const to = Math.min(last, from + CHUNK - 1);
    it(`seeds ${from} to ${to}`, () => {
      const bad: string[] = [];
      for (let seed = from; seed <= to; seed++) {
        const cluster = new SimCluster(seed);
        cluster.run(600_000, 900_000);
        cluster.conclude();
        if (cluster.faults.length > 0) bad.push(`SIM_SEED=${seed} npx vitest run --project sim test/sim/heal\n${only === undefined ? '' : cluster.trace.join('\n')}\n  ! ${cluster.faults.join('\n  ! ')}`);
      }
      expect(bad.join('\n\n')).toBe('');
    });
  }
});
