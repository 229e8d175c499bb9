import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ProofLine } from '../../src/cache/derive/proofs.ts';
import { rpc } from '../help/client.ts';
import { builtProgram } from '../help/program.ts';
import { Twins } from '../help/twins.ts';
import { type WorkerGateway, workerGateway } from '../help/workers.ts';

const FROM = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const SAMPLES = 2;
const PATIENCE = { timeout: 30_000, interval: 50 };
const PAIR = { source: 'eth_getBlockByNumber', target: 'eth_getTransactionByBlockNumberAndIndex', state: 'on', same: SAMPLES };

let twins: Twins;
let gateway: WorkerGateway;

beforeAll(async () => {
  builtProgram();
  twins = await Twins.start(1);
  const cache = `{ derive: { samples: ${SAMPLES}, recheckSample: 0 } }`;
  gateway = await workerGateway(`server: { port: 0, workers: 2 }\nadmin: { port: 0, tokenFile: "{token}" }\nchains: [{ name: main, chainId: 31337, blockTimeMs: 600000, cache: ${cache}, health: { probeIntervalMs: 50 }, upstreams: [{ name: a, http: "${twins.nodes[0]?.httpUrl}" }] }]`);
  await gateway.untilServing(2);
});

afterAll(async () => {
  await gateway?.close();
  await twins?.close();
});

async function ask(method: string, params: readonly unknown[]): Promise<{ readonly cache: string | null; readonly result: unknown }> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const answer = await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json', connection: 'close' }, body });
  return { cache: answer.headers.get('x-tidegate-cache'), result: ((await answer.json()) as { readonly result?: unknown }).result };
}

async function proven(): Promise<readonly ProofLine[]> {
  const [chain] = (await (await fetch(`${gateway.adminUrl}/api/v1/upstreams`)).json()) as { readonly derived: readonly ProofLine[] }[];
  return chain?.derived.filter(({ target }) => target === PAIR.target) ?? [];
}

/** One more block with one transaction; resolves once the edge has it. */
async function grow(): Promise<string> {
  const url = twins.nodes[0]?.httpUrl ?? '';
  await rpc(url, 'eth_sendTransaction', [{ from: FROM, to: FROM, value: '0x1', gas: '0x5208', maxFeePerGas: '0x2540be400', maxPriorityFeePerGas: '0x1' }]);
  await twins.mine(1);
  const number = await rpc<string>(url, 'eth_blockNumber');
  await vi.waitFor(async () => expect((await ask('eth_blockNumber', [])).result).toBe(number), PATIENCE);
  return number;
}

it('what samples in any worker have shown of a client all know, also one that starts later', async () => {
  await vi.waitFor(async () => {
    const number = await grow();
    for (let i = 0; i < 6; i++) await ask('eth_getBlockByNumber', [number, true]);
    for (let i = 0; i < 4; i++) await ask('eth_getTransactionByBlockNumberAndIndex', [number, '0x0']);
    expect(await proven()).toMatchObject([PAIR]);
  }, PATIENCE);
  for (const pid of await gateway.untilServing(2)) process.kill(pid, 'SIGKILL');
  await vi.waitFor(async () => expect((await gateway.serving()).length).toBeLessThan(2), PATIENCE);
  await gateway.untilServing(2);
  const number = await vi.waitFor(grow, PATIENCE);
  const derived = async (): Promise<number> => (await gateway.metrics()).get('tidegate_cache_derived_total{chain="main"}') ?? 0;
  const before = await derived();
  // each worker has a store of its own: until it has the block, and has given the transaction by itself
  await vi.waitFor(async () => {
    await ask('eth_getBlockByNumber', [number, true]);
    await ask('eth_getTransactionByBlockNumberAndIndex', [number, '0x0']);
    expect(await derived()).toBeGreaterThan(before);
  }, PATIENCE);
  expect(await proven()).toMatchObject([PAIR]);
});
