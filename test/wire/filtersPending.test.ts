import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { tell } from '../help/logWorld.ts';
import { ScriptNode } from '../help/scriptNode.ts';
import type { NodeCall, Say } from '../help/scriptNode.ts';

const PATIENCE = { timeout: 20_000, interval: 50 };
const hashOf = (at: number): string => `0x${at.toString(16).padStart(64, '0')}`;

/** A pool of transactions with filters on it, as a node without WebSocket has. */
class Pool {
  readonly filters = new Map<string, string[]>();
  made = 0;

  add(hash: string): void {
    for (const news of this.filters.values()) news.push(hash);
  }

  readonly say = ({ method, params }: NodeCall): Say => {
    const [id] = params as [string];
    if (method === 'eth_newPendingTransactionFilter') {
      this.filters.set(`0x${++this.made}`, []);
      return { result: `"0x${this.made}"` };
    }
    if (method === 'eth_getTransactionByHash') return { result: JSON.stringify({ hash: id, nonce: '0x1', blockHash: null, blockNumber: null }) };
    if (method === 'eth_uninstallFilter') return { result: String(this.filters.delete(id)) };
    const news = this.filters.get(id);
    if (method !== 'eth_getFilterChanges' || news === undefined) return { error: '{"code":-32000,"message":"filter not found"}' };
    return { result: JSON.stringify(news.splice(0)) };
  };
}

let pools: Pool[] = [];
let nodes: ScriptNode[] = [];
let gateway: TestGateway;

beforeEach(async () => {
  pools = [new Pool(), new Pool()];
  nodes = await Promise.all(pools.map(({ say }) => ScriptNode.start(say)));
  gateway = await testGateway(nodes.map(({ httpUrl }, at) => ({ name: `n${at}`, httpUrl })), { chain: { chainId: 1, health: { probeIntervalMs: 50 } } });
});

afterEach(async () => {
  await gateway.close();
  await Promise.all(nodes.map((node) => node.close()));
});

const listened = (): number => pools.findIndex(({ filters }) => filters.size > 0);
const sum = (): number => pools.reduce((all, { filters }) => all + filters.size, 0);
const make = async (...params: unknown[]): Promise<unknown> => (await tell(gateway.url, 'eth_newPendingTransactionFilter', params)).result;

/** Reads a filter until it has told so many changes in all. */
async function hear(id: unknown, heard: unknown[], count: number): Promise<void> {
  await vi.waitFor(async () => {
    heard.push(...((await tell(gateway.url, 'eth_getFilterChanges', [id])).result as unknown[]));
    expect(heard.length).toBeGreaterThanOrEqual(count);
  }, PATIENCE);
}

test('pending transactions come from one node for all clients, from another once it dies, each once', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, () => make()));
  await vi.waitFor(() => expect(sum()).toBe(1), PATIENCE);
  const first = listened();
  const heard: unknown[][] = ids.map(() => []);
  for (let at = 0; at < 10; at++) for (const pool of pools) pool.add(hashOf(at));
  await Promise.all(ids.map((id, at) => hear(id, heard[at] as unknown[], 10)));
  // still the only one
  expect(pools.map(({ made }) => made).sort()).toEqual([0, 1]);
  await nodes[first]?.close();
  const second = 1 - first;
  await vi.waitFor(() => expect(pools[second]?.filters.size).toBe(1), PATIENCE);
  // the other tells of what was told of before, too
  for (let at = 5; at < 20; at++) pools[second]?.add(hashOf(at));
  await Promise.all(ids.map((id, at) => hear(id, heard[at] as unknown[], 20)));
  for (const all of heard) expect(all).toEqual(Array.from({ length: 20 }, (_, at) => hashOf(at)));
}, 60_000);

test('a filter that its node has lost is made anew; whole transactions where they are asked for; none once nobody listens', async () => {
  const [id, full] = [await make(), await make(true)];
  await vi.waitFor(() => expect(sum()).toBe(1), PATIENCE);
  const pool = pools[listened()] as Pool;
  pool.add(hashOf(1));
  const heard: unknown[] = [];
  const whole: unknown[] = [];
  await hear(full, whole, 1);
  await hear(id, heard, 1);
  expect(heard).toEqual([hashOf(1)]);
  expect(whole).toEqual([{ hash: hashOf(1), nonce: '0x1', blockHash: null, blockNumber: null }]);
  // as a restarted node has
  pool.filters.clear();
  await vi.waitFor(() => expect(pool.filters.size).toBe(1), PATIENCE);
  pool.add(hashOf(2));
  await hear(id, heard, 2);
  expect(heard).toEqual([hashOf(1), hashOf(2)]);
  for (const each of [id, full]) expect((await tell(gateway.url, 'eth_uninstallFilter', [each])).result).toBe(true);
  await vi.waitFor(() => expect(sum()).toBe(0), PATIENCE);
}, 60_000);
