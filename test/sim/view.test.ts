import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { ViewChain, ViewNode } from './viewChain.ts';
import type { ViewSpan, ViewTrouble } from './viewChain.ts';
import { ViewClient } from './viewClient.ts';
import { ViewEdge } from './viewEdge.ts';
import { VirtualWorld } from './world.ts';

const only = process.env['SIM_SEED'];
const count = Number(process.env['SIM_VIEW_SEEDS'] ?? 500);
const first = only === undefined ? 1 : Number(only);
const last = only === undefined ? count : first;
const CHUNK = 25;
const DURATION_MS = 20_000;
const TROUBLES: readonly ViewTrouble[] = ['lag', 'early', 'fork', 'dead'];

/** Plays one seed: nodes of which a minority lags, lies, forks or dies; one edge or two; clients that go from one to the other. */
async function play(seed: number): Promise<{ faults: string[]; answered: number; reorgs: number }> {
  const random = seededRandom(seed);
  const world = new VirtualWorld();
  const chain = new ViewChain(random, DURATION_MS);
  const nodeCount = 3 + Math.floor(random() * 3);
  const ill = Math.floor(random() * ((nodeCount + 1) / 2));
  const nodes = Array.from({ length: nodeCount }, (_, index) => {
    const spans: ViewSpan[] = [];
    for (let fromMs = random() * 6000; index < ill && fromMs < DURATION_MS; fromMs += 2000 + random() * 8000) {
      spans.push({ kind: TROUBLES[Math.floor(random() * TROUBLES.length)] ?? 'lag', fromMs, toMs: fromMs + 1000 + random() * 4000 });
    }
    return new ViewNode(chain, random, spans);
  });
  const pinning = random() < 0.5 ? 'always' : 'auto';
  const edges = Array.from({ length: 1 + Math.floor(random() * 2) }, (_, i) => new ViewEdge({ nodes, pinning, seed: seed * 31 + i }, world));
  const faults: string[] = [];
  const fault = (text: string): void => {
    if (faults.length < 10) faults.push(`${world.nowMs.toFixed(0)} ms: ${text}`);
  };
  for (const edge of edges) edge.start();
  const clients = Array.from({ length: 4 }, () => new ViewClient({ world, random, edges, exact: pinning === 'always', known: chain.known, fault }));
  await world.drive(DURATION_MS);
  const answered = clients.reduce((sum, client) => sum + client.answered, 0);
  const refused = clients.reduce((sum, client) => sum + client.refused, 0);
  if (answered < 100 || refused > answered / 4) fault(`${answered} requests answered, ${refused} refused`);
  return { faults, answered, reorgs: chain.reorgs };
}

describe('one view of a chain that reorganises, over nodes that lag, lie, fork and die', () => {
  for (let from = first; from <= last; from += CHUNK) {
    const to = Math.min(last, from + CHUNK - 1);
    it(`seeds ${from} to ${to}`, async () => {
      const bad: string[] = [];
      for (let seed = from; seed <= to; seed++) {
        const { faults } = await play(seed);
        if (faults.length > 0) bad.push(`SIM_SEED=${seed} npx vitest run --project sim test/sim/view.test.ts\n  ! ${faults.join('\n  ! ')}`);
      }
      expect(bad.join('\n')).toBe('');
    });
  }

  it('plays the same seed the same way, and has something to follow', async () => {
    const [a, b] = [await play(11), await play(11)];
    expect(a).toEqual(b);
    let reorgs = 0;
    for (let seed = 1; seed <= 5; seed++) reorgs += (await play(seed)).reorgs;
    expect(reorgs).toBeGreaterThan(0);
  });
});
