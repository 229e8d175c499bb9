import { describe, expect, it } from 'vitest';
import { evmCatalog } from '../../src/chain/evm/evmCatalog.ts';
import { describePlan, simulate } from './simulate.ts';

const only = process.env['SIM_SEED'];
const count = Number(process.env['SIM_SEEDS'] ?? 300);
const first = only === undefined ? 1 : Number(only);
const last = only === undefined ? count : first;
const CHUNK = 50;

describe('health, routing and attempts in virtual time', () => {
  const catalog = evmCatalog();
  for (let from = first; from <= last; from += CHUNK) {
    const to = Math.min(last, from + CHUNK - 1);
    it(`seeds ${from} to ${to}`, () => {
      const bad: string[] = [];
      for (let seed = from; seed <= to; seed++) {
        const { faults, plan, calls } = simulate(seed, catalog);
        expect(calls).toBeGreaterThan(0);
        if (faults.length > 0) bad.push(`SIM_SEED=${seed} npx vitest run --project sim\n${describePlan(plan)}\n  ! ${faults.join('\n  ! ')}`);
      }
      expect(bad.join('\n\n')).toBe('');
    });
  }

  it('plays the same seed the same way', () => {
    const [a, b] = [simulate(7, catalog), simulate(7, catalog)];
    expect(a.calls).toBe(b.calls);
    expect(a.faults).toEqual(b.faults);
  });
});
