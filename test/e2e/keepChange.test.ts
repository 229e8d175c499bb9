import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startController } from '../../src/controller/controller.ts';
import type { JournalEntry } from '../../src/observe/journal.ts';
import { keptChain } from '../help/kept.ts';
import type { Kept, KeptOptions } from '../help/kept.ts';
import { silentLog } from '../help/log.ts';

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

const done = (node: string, what: string) => (entry: JournalEntry): boolean => entry.node === node && entry.kind === 'operation' && entry.what === what && entry.outcome === 'ok';
const stepsOf = (made: Kept, node: string, from = 0): string[] => made.journal().slice(from).filter((entry) => entry.node === node && entry.kind === 'step').map(({ what }) => what);

async function operate(made: Kept, method: 'POST' | 'DELETE', path: string, body: object = {}): Promise<{ status: number; json: Record<string, unknown> }> {
  const token = readFileSync(join(made.dir, 'controller.token'), 'utf8').trim();
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const answer = await fetch(`http://127.0.0.1:${made.controller.adminPort}/api/v1/nodes${path}`, { method, headers, body: JSON.stringify(body) });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}

it('a node is added at runtime, survives a restart of the controller, and is removed again with its data kept', async () => {
  const made = await kept({ late: 1 });
  const node = made.nodes[2] ?? {};
  const dry = await operate(made, 'POST', '?dryRun=true', node);
  expect(dry).toMatchObject({ status: 200, json: { dryRun: true, node: 'kept-3', action: 'add' } });
  expect(made.controller.keeper.list()).toHaveLength(2);
  expect(await operate(made, 'POST', '', { ...node, dataDir: join(made.dir, 'kept-1', 'inner') })).toMatchObject({ status: 422, json: { error: expect.stringContaining('the data directory of kept-3 is in that of kept-1') } });
  expect(await operate(made, 'POST', '', { ...node, dataDri: 'x' })).toMatchObject({ status: 422, json: { error: expect.stringContaining('dataDri') } });
  expect((await operate(made, 'POST', '', node)).status).toBe(201);
  expect((await operate(made, 'POST', '', node)).status).toBe(409);
  await made.entry(done('kept-3', 'start'));
  await made.serving('kept-1', 'kept-2', 'kept-3');
  const steps = stepsOf(made, 'kept-3');
  expect(steps).toContain('enlist');
  expect(steps).toContain('uncordon');

  const pid = await made.pid('kept-3');
  await made.controller.close();
  made.controller = await startController(made.config, { log: silentLog() });
  expect(await made.pid('kept-3')).toBe(pid);

  const from = made.journal().length;
  const preview = await operate(made, 'DELETE', '/kept-3?dryRun=true');
  expect(preview).toMatchObject({ status: 200, json: { action: 'remove', next: { kind: 'cordon' } } });
  expect(preview.json.steps).toContain('forget it');
  expect((await operate(made, 'DELETE', '/kept-3')).status).toBe(202);
  await made.entry(done('kept-3', 'remove'), from);
  expect(stepsOf(made, 'kept-3', from)).toEqual(['cordon', 'stop', 'delist', 'forget']);
  expect(Object.keys(await made.gateway.upstreams())).toEqual(['kept-1', 'kept-2']);
  expect(() => process.kill(pid, 0)).toThrow();
  expect(existsSync(join(made.dir, 'kept-3'))).toBe(true);
  expect((await operate(made, 'POST', '/kept-3/start')).status).toBe(404);
  await made.controller.close();
  made.controller = await startController(made.config, { log: silentLog() });
  expect(made.controller.keeper.list().map(({ config }) => config.name)).toEqual(['kept-1', 'kept-2']);
});

it('a node of the configuration that was removed stays away after restarts of controller and gateway, its data gone where that was asked', async () => {
  const made = await kept();
  expect((await operate(made, 'DELETE', '/kept-2', { deleteData: 'yes' })).status).toBe(400);
  expect((await operate(made, 'DELETE', '/kept-2', { deleteData: true })).status).toBe(202);
  await made.entry(done('kept-2', 'remove'));
  expect(existsSync(join(made.dir, 'kept-2'))).toBe(false);
  const from = made.journal().length;
  await made.controller.close();
  // as a gateway would that reads its file anew
  const { url, tokenFile } = made.config.controller.edge;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` };
  const back = await fetch(new URL('/api/v1/upstreams/test', url), { method: 'POST', headers, body: JSON.stringify({ name: 'kept-2', http: `http://127.0.0.1:${String(made.nodes[1]?.httpPort)}` }) });
  expect(back.status).toBe(201);
  made.controller = await startController(made.config, { log: silentLog() });
  await made.entry(({ node, what, outcome }) => node === 'kept-2' && what === 'delist' && outcome === 'ok', from);
  await made.gateway.until((upstreams) => upstreams['kept-2'] === undefined);
  expect(made.controller.keeper.list().map(({ config }) => config.name)).toEqual(['kept-1', 'kept-3']);
});

it('the gateway learns the nodes from the controller, and again when it has lost them', async () => {
  const made = await keptChain({ strange: true });
  undo.push(() => made.close());
  await made.serving(...made.names);
  const { url, tokenFile } = made.config.controller.edge;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` };
  const from = made.journal().length;
  await fetch(new URL('/api/v1/upstreams/test/kept-3', url), { method: 'DELETE', headers, body: '{}' });
  await made.entry(({ node, what, outcome }) => node === 'kept-3' && what === 'enlist' && outcome === 'ok', from);
  await made.serving(...made.names);
  expect(stepsOf(made, 'kept-3', from)).toEqual(['enlist']);
});
