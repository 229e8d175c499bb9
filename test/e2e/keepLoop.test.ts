import { afterEach, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/observe/journal.ts';
import { keptChain } from '../help/kept.ts';
import type { Kept } from '../help/kept.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

/** Beside two nodes that are well a third: a command of one's own, whose log gives nothing away. */
async function keptWith(script: string): Promise<Kept> {
  const made = await keptChain({ change: (_, i) => (i === 2 ? { client: 'command', command: '/bin/sh', args: ['-c', script] } : {}) });
  undo.push(() => made.close());
  return made;
}

const startsOf = (entries: readonly JournalEntry[]): readonly number[] => entries.filter(({ node, kind, what }) => node === 'kept-3' && kind === 'step' && what === 'start').map(({ at }) => Date.parse(at));

it.each([
  ['a node that ends with code 1 a second after each start', 'echo ready; sleep 1; exit 1', 'it exited with code 1'],
  ['a node that ends well at once', 'exit 0', 'it exited with code 0'],
  ['a node that ends by a signal at once', 'kill -SEGV $$', 'it was ended by SIGSEGV'],
])('%s is started a few times, with waits that grow, then a human is called and nothing more is done', async (_, script, words) => {
  const made = await keptWith(script);
  const call = await made.entry(({ node, kind }) => node === 'kept-3' && kind === 'human');
  expect(call.why).toMatch(new RegExp(`3 runs in a row ended within 5 s; ${words}.*; a human is called: restart was tried 3 times`));
  const starts = startsOf(made.journal());
  expect(starts).toHaveLength(3);
  // the second try waits for half of 500 ms at least, the third for half of a second
  const waits = starts.slice(1).map((atMs, i) => atMs - (starts[i] ?? 0));
  expect(waits[0]).toBeGreaterThanOrEqual(250);
  expect(waits[1]).toBeGreaterThanOrEqual(500);
  await made.serving('kept-1', 'kept-2');

  // it stays so: looks go on, steps do not
  const lookedMs = (): number => made.controller.keeper.list().find(({ config }) => config.name === 'kept-3')?.facts?.rpc.askedAtMs ?? 0;
  for (let look = 0, lastMs = lookedMs(); look < 10; ) {
    await new Promise((wake) => setImmediate(wake));
    if (lookedMs() === lastMs) continue;
    lastMs = lookedMs();
    look++;
  }
  expect(startsOf(made.journal())).toHaveLength(3);
  expect(made.journal().filter(({ node, kind }) => node === 'kept-3' && kind === 'human')).toHaveLength(1);

  // somebody has looked after it: it is tried anew
  made.controller.keeper.wish('kept-3', 'start');
  await made.entry(({ node, kind, what }) => node === 'kept-3' && kind === 'step' && what === 'start', made.journal().length);
});

it('a node whose program is not there is given to a human at once, who is told so', async () => {
  const made = await keptChain({ change: (_, i) => (i === 2 ? { command: '/no/such/node' } : {}) });
  undo.push(() => made.close());
  const call = await made.entry(({ node, kind }) => node === 'kept-3' && kind === 'human');
  expect(call.why).toMatch(/its log says: \/no\/such\/node cannot be started: spawn \/no\/such\/node ENOENT.*; a human is called/);
  expect(startsOf(made.journal())).toHaveLength(1);
  made.controller.keeper.wish('kept-3', 'pause');
  expect(made.controller.keeper.list().find(({ config }) => config.name === 'kept-3')?.facts?.paused).toBe(true);
});
