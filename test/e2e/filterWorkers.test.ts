import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { LogChain } from '../help/logChain.ts';
import type { ChainLog } from '../help/logChain.ts';
import { LogNode } from '../help/logNode.ts';
import { builtProgram } from '../help/program.ts';
import { workerGateway } from '../help/workers.ts';

const CLIENTS = 40;
const PATIENCE = { timeout: 30_000, interval: 50 };
const closers: (() => Promise<unknown>)[] = [];

beforeAll(() => void builtProgram());
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** On a connection of its own, so that any worker may get it; a worker that dies takes it along. */
async function tell(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const post = (): Promise<Response> => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', connection: 'close' }, body });
  const { result, error } = (await (await post()).json()) as { readonly result?: unknown; readonly error?: { readonly message: string } };
  if (error !== undefined) throw new Error(error.message);
  return result;
}

it('filters are read through any of two workers, over the death of nodes and of a worker, and miss nothing', async () => {
  const chain = new LogChain(60);
  const nodes = await Promise.all([0, 1, 2].map(() => LogNode.start(chain)));
  closers.push(...nodes.map((node) => () => node.close()));
  const upstreams = nodes.map(({ httpUrl }, i) => `{ name: n${i}, http: "${httpUrl}" }`).join(', ');
  const text = `server: { port: 0, workers: 2 }\nadmin: { port: 0, tokenFile: "{token}" }\nchains: [{ name: main, chainId: 1, health: { probeIntervalMs: 100 }, upstreams: [${upstreams}] }]`;
  const gateway = await workerGateway(text);
  closers.push(() => gateway.close());
  const pids = await gateway.untilServing(2);
  const { url } = gateway;
  await vi.waitFor(async () => expect(await tell(url, 'eth_blockNumber', [])).toBe('0x3c'), PATIENCE);
  const ids = await Promise.all(Array.from({ length: CLIENTS }, () => tell(url, 'eth_newFilter', [{}])));
  const heard = ids.map((): ChainLog[] => []);
  const poll = async (at: number): Promise<void> => {
    for (const log of (await tell(url, 'eth_getFilterChanges', [ids[at]])) as ChainLog[]) {
      if (log.removed) expect({ ...log, removed: false }).toEqual(heard[at]?.pop());
      else heard[at]?.push(log);
    }
  };
  const wanted = (): readonly ChainLog[] => chain.query({ fromBlock: 'earliest' }).filter(({ blockHash }) => !blockHash.startsWith('0x61'));
  const settle = (): Promise<void> =>
    vi.waitFor(async () => {
      await Promise.all(ids.map((_, at) => poll(at)));
      expect(heard.every((logs) => JSON.stringify(logs) === JSON.stringify(wanted()))).toBe(true);
    }, PATIENCE);
  chain.grow(6, 'b');
  await settle();
  await nodes[0]?.close();
  process.kill(pids[0] as number, 'SIGKILL');
  chain.reorg(3, 'c');
  await gateway.untilServing(2);
  await settle();
  await nodes[1]?.close();
  chain.grow(2, 'd');
  chain.reorg(2, 'e');
  await settle();
  expect(wanted().length).toBeGreaterThan(5);
});
