import { Wallet } from 'ethers';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { rpc } from '../help/client.ts';
import { builtProgram } from '../help/program.ts';
import { Twins } from '../help/twins.ts';
import { type WorkerGateway, workerGateway } from '../help/workers.ts';

/** A key of anvil's own accounts. */
const wallet = new Wallet('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
const SENDS = 12;
/** On new connections, any of which either worker may get. */
const READS = 8;
const PATIENCE = { timeout: 30_000, interval: 50 };

let twins: Twins;
let gateway: WorkerGateway;

beforeAll(async () => {
  builtProgram();
  // neither node ever tells the other of a transaction, nor puts one into a block
  twins = await Twins.start(2);
  await twins.mine(3);
  const upstreams = twins.nodes.map(({ name, httpUrl }) => `{ name: ${name}, http: "${httpUrl}" }`).join(', ');
  gateway = await workerGateway(`server: { port: 0, workers: 2 }\nadmin: { port: 0, tokenFile: "{token}" }\nchains: [{ name: main, chainId: 31337, blockTimeMs: 600000, health: { probeIntervalMs: 100 }, upstreams: [${upstreams}] }]`);
  await gateway.untilServing(2);
  await vi.waitFor(async () => expect(await tell('eth_blockNumber', [])).toBe('0x3'), PATIENCE);
});

afterAll(async () => {
  await gateway?.close();
  await twins?.close();
});

async function tell(method: string, params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const answer = await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json', connection: 'close' }, body });
  const { result, error } = (await answer.json()) as { readonly result?: unknown; readonly error?: { readonly message: string } };
  if (error !== undefined) throw new Error(error.message);
  return result;
}

it('a sender’s next nonce is told by every worker once a node has taken its transaction through one of them', async () => {
  for (let nonce = 0; nonce < SENDS; nonce++) {
    const raw = await wallet.signTransaction({ to: wallet.address, nonce, gasLimit: 21_000, gasPrice: 10_000_000_000n, chainId: 31337 });
    const hash = await tell('eth_sendRawTransaction', [raw]);
    const told = await Promise.all(Array.from({ length: READS }, () => tell('eth_getTransactionCount', [wallet.address, 'pending'])));
    expect(told).toEqual(told.map(() => `0x${(nonce + 1).toString(16)}`));
    const found = await Promise.all(Array.from({ length: READS }, () => tell('eth_getTransactionByHash', [hash])));
    expect(found).toEqual(found.map(() => expect.objectContaining({ hash })));
  }
  // the word of a node by itself would have been wrong
  const counts = await Promise.all(twins.nodes.map(({ httpUrl }) => rpc<string>(httpUrl, 'eth_getTransactionCount', [wallet.address, 'pending'])));
  expect(Math.min(...counts.map(Number))).toBeLessThan(SENDS);
});

it('and after the worker that took it has died', async () => {
  const next = await tell('eth_getTransactionCount', [wallet.address, 'pending']);
  for (const pid of await gateway.untilServing(2)) process.kill(pid, 'SIGKILL');
  await vi.waitFor(async () => expect((await gateway.serving()).length).toBeLessThan(2), PATIENCE);
  await gateway.untilServing(2);
  const told = await Promise.all(Array.from({ length: READS }, () => tell('eth_getTransactionCount', [wallet.address, 'pending'])));
  expect([next, ...told]).toEqual(Array.from({ length: READS + 1 }, () => `0x${SENDS.toString(16)}`));
});
