import { afterEach, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/observe/journal.ts';
import { eventProxy } from '../help/eventProxy.ts';
import { keptChain } from '../help/kept.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

const ended = (node: string, what: string) => (entry: JournalEntry): boolean => entry.node === node && entry.kind === 'operation' && entry.what === what && entry.outcome === 'ok';

it.each(['lost', 'twice'] as const)('events of the gateway that are %s change nothing of what is done', async (mode) => {
  let seen = (): number => 0;
  const made = await keptChain({
    between: async (adminUrl) => {
      const proxy = await eventProxy(adminUrl, mode);
      undo.push(() => proxy.close());
      seen = proxy.seen;
      return proxy.url;
    },
  });
  undo.push(() => made.close());
  await made.serving(...made.names);
  const from = made.journal().length;
  process.kill(await made.pid('kept-1'), 'SIGKILL');
  await made.entry(ended('kept-1', 'start'), from);
  await made.serving(...made.names);
  const steps = made.journal().slice(from).filter(({ kind }) => kind === 'step').map(({ node, what }) => `${node} ${what}`);
  expect(steps).toEqual(['cordon', 'start', 'weight', 'uncordon', 'weight', 'weight'].map((what) => `kept-1 ${what}`));
  expect(seen()).toBeGreaterThan(0);
});

it('the evidence of the gateway is in the journal and in the verdict, and nodes are healed while there is no gateway', async () => {
  const made = await keptChain({ healing: { unresponsiveMs: '20s' } });
  undo.push(() => made.close());
  await made.serving(...made.names);
  const pid = await made.pid('kept-2');
  const from = made.journal().length;
  process.kill(pid, 'SIGSTOP');
  const told = await made.entry(({ node, kind }) => node === 'kept-2' && kind === 'edge', from);
  expect(told.what).toBe('down');
  expect(told.why).toMatch(/does not answer its probe in time; head \d+/);
  const { plan } = made.controller.keeper.list().find(({ config }) => config.name === 'kept-2') ?? {};
  expect(plan?.verdict.why).toMatch(/the gateway says: down: does not answer/);
  process.kill(pid, 'SIGCONT');
  await made.serving(...made.names);

  await made.gateway.close();
  const alone = made.journal().length;
  const before = await made.pid('kept-1');
  process.kill(before, 'SIGKILL');
  await made.entry(({ node, what, outcome }) => node === 'kept-1' && what === 'start' && outcome === 'ok', alone);
  expect(await made.pid('kept-1')).not.toBe(before);
  expect(made.journal().slice(alone).filter(({ node, kind }) => node !== 'kept-1' && kind === 'step')).toEqual([]);
});
