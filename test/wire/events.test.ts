import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { StreamedEvent } from '../../src/controller/eventStream.ts';
import { ChainNode } from '../help/chainNode.ts';
import { readEvents } from '../help/events.ts';
import type { EventReader } from '../help/events.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';

const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const dataOf = ({ data }: StreamedEvent): Record<string, unknown> => JSON.parse(data) as Record<string, unknown>;
const is = (kind: string, wanted: Record<string, unknown>) => (event: StreamedEvent): boolean => event.kind === kind && Object.entries(wanted).every(([key, value]) => dataOf(event)[key] === value);

async function start(tokenFile = ''): Promise<{ gateway: TestGateway; nodes: readonly ChainNode[] }> {
  const nodes = await Promise.all([0, 1, 2].map(() => ChainNode.start()));
  const gateway = await testGateway(nodes.map((node, i) => ({ name: `n${i}`, httpUrl: node.httpUrl })), { tokenFile, chain: { chainId: 1, blockTimeMs: 1000, health: { probeIntervalMs: 250, probation: { samples: 1 }, ramp: { durationMs: 0 } } } });
  closers.push(...nodes.map((node) => () => node.close()), () => gateway.close());
  await gateway.until((upstreams) => serve(upstreams));
  return { gateway, nodes };
}

async function reader(gateway: TestGateway, lastId = ''): Promise<EventReader> {
  const opened = await readEvents(gateway.adminUrl, lastId);
  closers.push(() => opened.close());
  return opened;
}

it('tells of a new head, a reorg, and an ejection with what it was judged by', async () => {
  const { gateway, nodes } = await start();
  const events = await reader(gateway);
  expect(events.response.headers['content-type']).toBe('text/event-stream');
  // what was before is not told: the reader looks
  await events.event(({ kind }) => kind === 'look');
  for (const node of nodes) node.head = 101;
  expect(dataOf(await events.event(is('head', { chain: 'test', number: 101 }))).hash).toBe(nodes[0]?.hashAt(101));
  for (const node of nodes) node.fork(101, 'b');
  for (const node of nodes) node.head = 102;
  const reorg = dataOf(await events.event(is('reorg', { chain: 'test' })));
  expect(reorg.fromNumber).toBeLessThanOrEqual(101);
  expect(reorg.finalityBroken).toBe(false);
  for (const node of nodes.slice(1)) node.head = 112;
  const ejected = dataOf(await events.event(is('upstream', { upstream: 'n0', to: 'ejected' })));
  expect(ejected).toMatchObject({ from: 'serving', reason: 'lag', evidence: { headNumber: 102, lagBlocks: 10 } });
  expect(ejected.why).toMatch(/behind the trusted head \(10 blocks/);
});

it('tells who left and joined, and goes on behind the event that a reader has seen last', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-events-'));
  closers.push(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'token');
  const { gateway } = await start(tokenFile);
  const extra = await ChainNode.start();
  closers.push(() => extra.close());
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` };
  const first = await reader(gateway);
  const { id: before } = await first.event(({ kind }) => kind === 'look');
  await fetch(`${gateway.adminUrl}/api/v1/upstreams/test`, { method: 'POST', headers, body: JSON.stringify({ name: 'extra', http: extra.httpUrl }) });
  await first.event(is('roster', { upstream: 'extra', what: 'added' }));
  await fetch(`${gateway.adminUrl}/api/v1/upstreams/test/extra`, { method: 'DELETE', headers, body: '{}' });
  const { id: after } = await first.event(is('roster', { upstream: 'extra', what: 'removed' }));
  first.close();
  const again = await reader(gateway, before);
  expect((await again.event(is('roster', { upstream: 'extra', what: 'removed' }))).id).toBe(after);
  expect(again.events.map(({ kind }) => kind)).not.toContain('look');
  expect(again.events.filter(({ kind }) => kind === 'roster').map((event) => dataOf(event).what)).toEqual(['added', 'removed']);
  // another process numbers anew: nothing may be taken for seen
  const stranger = await reader(gateway, 'other-7');
  expect(stranger.events[0]?.kind ?? (await stranger.event(() => true)).kind).toBe('look');
});

it('refuses readers beyond the limit, and does not keep the gateway from closing', async () => {
  const { gateway } = await start();
  const readers = await Promise.all(Array.from({ length: 17 }, () => reader(gateway)));
  expect(readers.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 16 }, () => 200), 503]);
  const [one] = readers;
  const ended = new Promise((done) => one?.response.once('close', done));
  await gateway.close();
  await ended;
});
