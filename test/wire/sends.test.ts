import { Transaction, Wallet } from 'ethers';
import { afterEach, describe, expect, test } from 'vitest';
import { ChainNode } from '../help/chainNode.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';

const wallet = new Wallet(`0x${'11'.repeat(32)}`);
const raw = (nonce: number): Promise<string> => wallet.signTransaction({ type: 2, chainId: 1, nonce, to: wallet.address, gasLimit: 21_000n, maxFeePerGas: 1n, maxPriorityFeePerGas: 1n });
const hashOfRaw = (bytes: string): string => Transaction.from(bytes).hash ?? '';
const NONCE_TOO_LOW = { error: { code: -32000, message: 'nonce too low: next nonce 5, tx nonce 3' } };

let nodes: ChainNode[] = [];
let gateway: TestGateway | null = null;
afterEach(async () => {
  await gateway?.close();
  await Promise.all(nodes.map((node) => node.close()));
});

/** A pool of its own: takes transactions, tells of them and of the next nonce. */
function givePool(node: ChainNode): Map<string, Transaction> {
  const pool = new Map<string, Transaction>();
  node.script = (method, params) => {
    const first = String(params[0]);
    if (method === 'eth_sendRawTransaction') {
      const sent = Transaction.from(first);
      pool.set(sent.hash ?? '', sent);
      return { result: sent.hash };
    }
    if (method === 'eth_getTransactionByHash') {
      const known = pool.get(first);
      return { result: known === undefined ? null : { hash: first, from: known.from, nonce: `0x${known.nonce.toString(16)}`, blockHash: null, blockNumber: null } };
    }
    if (method === 'eth_getTransactionCount') return { result: `0x${Math.max(0, ...[...pool.values()].map(({ nonce }) => nonce + 1)).toString(16)}` };
    return undefined;
  };
  return pool;
}

async function start(chain: { readonly routing?: object; readonly view?: object } = {}): Promise<Map<string, Transaction>[]> {
  nodes = await Promise.all([0, 1, 2].map(() => ChainNode.start()));
  const pools = nodes.map(givePool);
  const routing = { hedge: { enabled: false }, ...chain.routing };
  gateway = await testGateway(nodes.map((node, index) => ({ name: `n${index}`, httpUrl: node.httpUrl })), { engine: 'node', chain: { chainId: 1, blockTimeMs: 60_000, health: { probeIntervalMs: 100 }, ...chain, routing } });
  await gateway.until((upstreams, { head }) => serve(upstreams) && head?.number === 100);
  return pools;
}

async function ask(method: string, params: readonly unknown[]): Promise<{ result?: unknown; error?: { message: string } }> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  return (await fetch(gateway?.url ?? '', { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json() as Promise<{ result?: unknown }>;
}
const nextNonce = async () => (await ask('eth_getTransactionCount', [wallet.address, 'pending'])).result;
const sentTo = (): number[] => nodes.flatMap((node, index) => node.paramsOf('eth_sendRawTransaction').map(() => index));
const checks = async (outcome: string): Promise<string> => new RegExp(`send_checks_total\\{chain="test",outcome="${outcome}"\\} (\\d+)`).exec(await (await fetch(`${gateway?.adminUrl}/metrics`)).text())?.[1] ?? '';

describe('after a transaction was sent', () => {
  test('its sender reads the next nonce, and its look-up finds it, though one node alone knows', async () => {
    await start();
    for (let nonce = 0; nonce < 6; nonce++) {
      const bytes = await raw(nonce);
      expect((await ask('eth_sendRawTransaction', [bytes])).result).toBe(hashOfRaw(bytes));
      expect(await nextNonce()).toBe(`0x${(nonce + 1).toString(16)}`);
      expect((await ask('eth_getTransactionByHash', [hashOfRaw(bytes)])).result).toMatchObject({ hash: hashOfRaw(bytes) });
    }
    expect(new Set(sentTo()).size).toBeGreaterThan(1);
  });

  test('another node may be asked, whose nonce is raised while the transaction is there', async () => {
    const pools = await start();
    const bytes = await raw(4);
    await ask('eth_sendRawTransaction', [bytes]);
    const holder = sentTo()[0] ?? 0;
    (nodes[holder] as ChainNode).script = ((own) => (method: string, params: readonly unknown[]) => (method === 'eth_getTransactionCount' ? { result: '0x4' } : own(method, params)))((nodes[holder] as ChainNode).script);
    expect(await nextNonce()).toBe('0x5');
    expect(await checks('nonce_raised')).toBe('1');
    pools[holder]?.clear();
    expect(await nextNonce()).toBe('0x4');
  });

  test('nothing is remembered where the config says so', async () => {
    await start({ view: { nonceTtlMs: 0 } });
    await ask('eth_sendRawTransaction', [await raw(0)]);
    expect(nodes.flatMap((node) => node.paramsOf('eth_getTransactionByHash'))).toEqual([]);
  });
});

describe('a raw transaction', () => {
  test('never goes to a node that is behind', async () => {
    await start();
    (nodes[0] as ChainNode).head = 99;
    await gateway?.until((upstreams) => upstreams['n0']?.headNumber === 99);
    for (let nonce = 0; nonce < 8; nonce++) await ask('eth_sendRawTransaction', [await raw(nonce)]);
    expect(sentTo()).toHaveLength(8);
    expect(sentTo()).not.toContain(0);
  });

  test('whose nonce is used is taken for sent when a node has it', async () => {
    const pools = await start();
    const bytes = await raw(3);
    for (const [index, node] of nodes.entries()) {
      const own = node.script;
      node.script = (method, params) => (method === 'eth_sendRawTransaction' ? NONCE_TOO_LOW : own(method, params));
      pools[index]?.set(hashOfRaw(bytes), Transaction.from(bytes));
    }
    expect(await ask('eth_sendRawTransaction', [bytes])).toMatchObject({ result: hashOfRaw(bytes) });
    expect(await ask('eth_sendRawTransaction', [await raw(2)])).toMatchObject(NONCE_TOO_LOW);
    expect([await checks('nonce_known'), await checks('nonce_used')]).toEqual(['1', '1']);
  });

  test('goes to several nodes by config, and the first that takes it answers', async () => {
    await start({ routing: { broadcast: 3 } });
    const bytes = await raw(0);
    let release: (() => void) | null = null;
    const held = new Promise<void>((resolve) => (release = resolve));
    for (const node of nodes.slice(0, 2)) void node.hold(held, 'eth_sendRawTransaction');
    expect(await ask('eth_sendRawTransaction', [bytes])).toMatchObject({ result: hashOfRaw(bytes) });
    (release as (() => void) | null)?.();
    expect(sentTo().sort()).toEqual([0, 1, 2]);
  });

  test('refused by some is a success when one takes it, and an error only when none does', async () => {
    await start({ routing: { broadcast: 3 } });
    const refusal = { error: { code: -32000, message: 'insufficient funds for gas * price + value' } };
    const own = (nodes[1] as ChainNode).script;
    for (const node of nodes) node.script = (method, params) => (method === 'eth_sendRawTransaction' && node !== nodes[1] ? refusal : own(method, params));
    expect(await ask('eth_sendRawTransaction', [await raw(0)])).toMatchObject({ result: hashOfRaw(await raw(0)) });
    (nodes[1] as ChainNode).script = (method, params) => (method === 'eth_sendRawTransaction' ? refusal : own(method, params));
    expect(await ask('eth_sendRawTransaction', [await raw(1)])).toMatchObject(refusal);
  });
});
