import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import type { JournalEntry } from '../../src/observe/journal.ts';
import { TestParts, TestWorld } from '../help/cliWorld.ts';
import { keptChain } from '../help/kept.ts';
import type { Kept } from '../help/kept.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

/** A chain that makes blocks except while it is halted; a node that lacks blocks is given them all the same. */
async function haltable(): Promise<{ readonly made: Kept; halt(): Promise<void>; go(): void }> {
  const made = await keptChain({ blockMs: 0, healing: { chainHaltedMs: '5s' }, change: () => ({ canResync: true }) });
  let moves = false;
  let moving: Promise<void> = Promise.resolve();
  const go = (): void => {
    moves = true;
    moving = (async () => {
      // a chain whose nodes are not up yet makes none
      for (; moves; await wait(200)) await made.chain?.sequencer.blockNow().catch(() => undefined);
    })();
  };
  const halt = (): Promise<void> => {
    moves = false;
    return moving;
  };
  undo.push(async () => {
    await halt();
    await made.close();
  });
  go();
  await made.serving(...made.names);
  return { made, halt, go };
}

async function shown(made: Kept, ...words: string[]): Promise<string> {
  const world = new TestWorld();
  world.fetchText = async (url) => {
    const answer = await fetch(url);
    return { status: answer.status, body: await answer.text() };
  };
  expect(await runCli(['node', ...words, '--admin', `http://127.0.0.1:${made.controller.adminPort}`], world, new TestParts())).toBe(0);
  return world.outLines.join('\n');
}

const stepsOf = (entries: readonly JournalEntry[]): string[] => entries.filter(({ kind }) => kind === 'step' || kind === 'human').map(({ node, what }) => `${node} ${what}`);

it('a chain that stands still: nothing is touched, and it says why; a node that ends meanwhile is started, and keeps its data', async () => {
  const { made, halt, go } = await haltable();
  const pids = await Promise.all(made.names.map((name) => made.pid(name)));
  const from = made.journal().length;
  await halt();
  const told = await made.entry(({ kind, what }) => kind === 'chain' && what === 'chainHalted', from);
  expect(told.why).toMatch(/no node has a new block since \d+ s: the chain stands still: no node is touched for that/);
  for (const name of made.names) expect(await shown(made, 'explain', name)).toMatch(/healthy.*at the head; no node has a new block since \d+ s.*next step: none/s);
  expect(await shown(made, 'journal', 'kept-1')).toContain('(test)  chain chainHalted: ok: no node has a new block');
  expect(await Promise.all(made.names.map((name) => made.pid(name)))).toEqual(pids);
  expect(stepsOf(made.journal().slice(from))).toEqual([]);

  const later = made.journal().length;
  process.kill(pids[0] ?? 0, 'SIGKILL');
  const back = await made.entry(({ node, kind, what }) => node === 'kept-1' && kind === 'operation' && what === 'start', later);
  expect(back.outcome).toBe('ok');
  await made.serving(...made.names);
  expect(stepsOf(made.journal().slice(later))).toEqual(['cordon', 'start', 'weight', 'uncordon', 'weight', 'weight'].map((what) => `kept-1 ${what}`));
  go();
  expect((await made.entry(({ kind, what }) => kind === 'chain' && what === 'chainHaltedOver', later)).why).toContain('judged by their heads again');
});
