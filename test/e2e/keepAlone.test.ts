import { writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/observe/journal.ts';
import { keptChain } from '../help/kept.ts';
import type { Kept, KeptOptions } from '../help/kept.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

async function kept(options: KeptOptions = {}): Promise<Kept> {
  const made = await keptChain(options);
  undo.push(() => made.close());
  await made.serving(...made.names);
  return made;
}

const stepsOf = (made: Kept, node: string, from: number): string[] => made.journal().slice(from).filter((entry) => entry.node === node && entry.kind === 'step').map(({ what, outcome }) => `${what} ${outcome}`);
const step = (node: string, what: string, outcome: string) => (entry: JournalEntry): boolean => entry.node === node && entry.kind === 'step' && entry.what === what && entry.outcome === outcome;

/** Stands before the gateway's admin port; while it is shut nobody gets through. */
async function door(adminUrl: string): Promise<{ readonly url: string; isShut: boolean }> {
  const state = { url: '', isShut: false };
  const server = createServer((asked, answer) => {
    if (state.isShut) return void answer.destroy();
    const onward = request(new URL(asked.url ?? '/', adminUrl), { method: asked.method, headers: { ...asked.headers, connection: 'close' }, agent: false }, (told) => {
      answer.writeHead(told.statusCode ?? 502, told.headers);
      told.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  undo.push(() => {
    server.close();
    server.closeAllConnections();
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}

it('with a token that the gateway refuses: a node that ended is started all the same, one that hangs is not stopped, and a human hears why', async () => {
  const made = await kept({ healing: { patienceMs: '2s', unresponsiveMs: '3s' } });
  const tokenFile = join(made.dir, 'admin.token');
  writeFileSync(tokenFile, 'not-the-token-of-the-gateway-at-all');
  const from = made.journal().length;
  const before = await made.pid('kept-1');
  process.kill(before, 'SIGKILL');
  const refused = await made.entry(step('kept-1', 'cordon', 'failed'), from);
  expect(refused.error).toContain('the gateway answered 401');
  expect(refused.error).toContain(`the token is that of ${tokenFile} (controller.edge.tokenFile)`);
  const started = await made.entry(step('kept-1', 'start', 'ok'), from);
  expect(started.why).toMatch(/starting it without holding it out, which cannot be done: the gateway answered 401/);
  await made.entry(({ node, kind, what, outcome }) => node === 'kept-1' && kind === 'operation' && what === 'start' && outcome === 'ok', from);
  await made.serving('kept-1');
  expect(stepsOf(made, 'kept-1', from)).toEqual(['cordon failed', 'cordon failed', 'cordon failed', 'start ok']);

  const hung = await made.pid('kept-2');
  process.kill(hung, 'SIGSTOP');
  const call = await made.entry(({ node, kind }) => node === 'kept-2' && kind === 'human', from);
  expect(call.why).toMatch(/a human is called: cordon fails again and again: the gateway answered 401/);
  expect(stepsOf(made, 'kept-2', from).filter((one) => one.startsWith('stop'))).toEqual([]);
});

it('while the gateway is away what ended is started and the journal says so; when it is back, restarted nodes come back to full weight', async () => {
  let way = { url: '', isShut: false };
  const made = await kept({
    between: async (adminUrl) => {
      way = await door(adminUrl);
      return way.url;
    },
  });
  const from = made.journal().length;
  way.isShut = true;
  const away = await made.entry(({ kind, what }) => kind === 'chain' && what === 'gatewayAway', from);
  expect(away.why).toMatch(/^the gateway cannot be asked: (the connection was cut|fetch failed|other side closed)/);
  const before = await made.pid('kept-1');
  process.kill(before, 'SIGKILL');
  await made.entry(step('kept-1', 'start', 'ok'), from);
  const hung = await made.pid('kept-2');
  process.kill(hung, 'SIGSTOP');
  await made.entry(({ node, kind, what }) => node === 'kept-2' && kind === 'verdict' && what === 'unresponsive', from);
  way.isShut = false;
  await made.entry(({ kind, what }) => kind === 'chain' && what === 'gatewayAwayOver', from);
  await made.entry(({ node, kind, what, outcome }) => node === 'kept-2' && kind === 'operation' && what === 'restart' && outcome === 'ok', from);
  await made.serving(...made.names);
  expect(stepsOf(made, 'kept-3', from)).toEqual([]);
});
