import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Anvil, startAnvil } from '../../src/devnet/anvil.ts';
import { findAnvil } from '../../src/devnet/binary.ts';
import { BentNode } from '../help/bentNode.ts';
import { rpc } from '../help/client.ts';
import { type TestDevnet, testDevnet } from '../help/devnet.ts';
import { type Fronted, serve, type TestGateway, testGateway } from '../help/gateway.ts';
import { type Load, type LoadReport, startLoad } from '../help/load.ts';

const CALLS_PER_S = 200;
const SPELL = 200;
const HONEST = ['anvil-1', 'anvil-2', 'anvil-3'];
const health = { ramp: { durationMs: 500 } };

let devnet: TestDevnet;
let gateway: TestGateway;
let load: Load;
const closers: (() => Promise<unknown> | void)[] = [];

beforeAll(async () => {
  devnet = await testDevnet({ blockTimeMs: 1_000 });
  await devnet.mine(3);
  await devnet.settled();
});
afterAll(() => devnet.close());
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A gateway over the devnet's nodes and `others`, under load, when its nodes serve. */
async function front(others: readonly Fronted[], chain: object = {}): Promise<void> {
  gateway = await testGateway([...devnet.nodes, ...others], { chain: { health, ...chain } });
  closers.push(() => gateway.close());
  await gateway.until((upstreams) => serve(upstreams, HONEST));
  load = startLoad(gateway.url, CALLS_PER_S);
  closers.push(() => load.stop());
}

/** Ends the load of now, and gives what a new one of some calls came to. */
async function spell(): Promise<LoadReport> {
  await load.stop();
  load = startLoad(gateway.url, CALLS_PER_S);
  await load.answered(SPELL);
  return load.stop();
}

/** What happened to the honest nodes after they began to serve. */
const honestLosses = (): string[] => gateway.transitions.filter((line) => /^anvil-\d serving>/.test(line));

describe('a node that is behind', () => {
  it('is ejected for lag, gets no call, and returns when it has caught up', async () => {
    await front([]);
    devnet.sequencer.hold(2, 10);
    await devnet.mine(10);
    const out = await gateway.until((upstreams) => upstreams['anvil-3']?.state === 'ejected');
    expect(out['anvil-3']?.reason).toBe('lag');
    expect(out['anvil-3']?.lagBlocks).toBeGreaterThanOrEqual(10);
    expect(Object.keys((await spell()).byUpstream).sort()).toEqual(['anvil-1', 'anvil-2']);
    devnet.sequencer.hold(2, 0);
    await gateway.until((upstreams) => serve(upstreams, ['anvil-3']));
    expect(Object.keys((await spell()).byUpstream).sort()).toEqual(HONEST);
    expect(gateway.transitions.filter((line) => line.startsWith('anvil-3 '))).toEqual([
      'anvil-3 probation>serving ok',
      'anvil-3 serving>ejected lag',
      'anvil-3 ejected>probation lag',
      'anvil-3 probation>ramping ok',
      'anvil-3 ramping>serving ok',
    ]);
    expect(honestLosses()).toEqual(['anvil-3 serving>ejected lag']);
  });
});

/** Raises the head by a million blocks while `lies()`. */
const boaster =
  (lies: () => boolean) =>
  (method: string, params: readonly unknown[], result: unknown): unknown => {
    const raised = (number: unknown): string => `0x${(Number(number) + 1_000_000).toString(16)}`;
    if (!lies()) return result;
    if (method === 'eth_blockNumber') return raised(result);
    if (method !== 'eth_getBlockByNumber' || params[0] !== 'latest') return result;
    const block = result as { number: string; hash: string };
    return { ...block, number: raised(block.number), hash: block.hash.replace(/^0x..../, '0xbeef'), parentHash: block.hash };
  };

describe('a node that reports a head 1,000,000 too high', () => {
  it.each([
    ['three', HONEST],
    ['two', HONEST.slice(0, 2)],
  ])('is ejected, and none of the %s honest ones with it', async (_, honest) => {
    let lies = false;
    const liar = await BentNode.start(devnet.url(0), boaster(() => lies));
    closers.push(() => liar.close());
    gateway = await testGateway([...devnet.nodes.slice(0, honest.length), { name: 'liar', httpUrl: liar.httpUrl }], { chain: { health } });
    closers.push(() => gateway.close());
    await gateway.until((upstreams) => serve(upstreams, [...honest, 'liar']));
    lies = true;
    await gateway.until((upstreams) => upstreams['liar']?.state === 'ejected');
    load = startLoad(gateway.url, CALLS_PER_S);
    closers.push(() => load.stop());
    await load.answered(SPELL);
    const { errors, byUpstream } = await load.stop();
    expect(errors).toEqual({});
    expect(Object.keys(byUpstream).sort()).toEqual(honest);
    const { head, upstreams } = await gateway.chain();
    expect(upstreams.find(({ name }) => name === 'liar')).toMatchObject({ reason: 'lying-head' });
    expect(head?.number).toBeLessThan(1_000);
    expect(honestLosses()).toEqual([]);
  });

  it('is not let in where it did so from the start', async () => {
    const liar = await BentNode.start(devnet.url(0), boaster(() => true));
    closers.push(() => liar.close());
    await front([{ name: 'liar', httpUrl: liar.httpUrl }]);
    const before = await devnet.sequencer.blockNow();
    await gateway.until((_, { head }) => (head?.number ?? 0) > before.number + 1);
    const { errors, byUpstream } = await load.stop();
    expect(errors).toEqual({});
    expect(Object.keys(byUpstream).sort()).toEqual(HONEST);
    expect(gateway.transitions.filter((line) => !line.startsWith('liar '))).toHaveLength(3);
  });
});

describe('a node of another chain', () => {
  it('gets no traffic from the start where the chain id is set', async () => {
    const stranger = await BentNode.start(devnet.url(0), (method, _, result) => (method === 'eth_chainId' ? '0x539' : result));
    closers.push(() => stranger.close());
    await front([{ name: 'stranger', httpUrl: stranger.httpUrl }], { chainId: 31_337 });
    const out = await gateway.until((upstreams) => upstreams['stranger']?.state === 'ejected');
    expect(out['stranger']).toMatchObject({ reason: 'wrong-chain', chainId: 1_337 });
    await load.answered(SPELL);
    const { errors, byUpstream } = await load.stop();
    expect(errors).toEqual({});
    expect(Object.keys(byUpstream).sort()).toEqual(HONEST);
    expect(stranger.asked).not.toContain('eth_getBalance');
    expect(stranger.asked).not.toContain('eth_call');
  });

  it('gets none any more when it changes over while it serves, and some when it is back', async () => {
    await front([], { health: { ...health, probeIntervalMs: 100 } });
    await rpc(devnet.url(2), 'anvil_setChainId', [1_337]);
    await gateway.until((upstreams) => upstreams['anvil-3']?.reason === 'wrong-chain' && upstreams['anvil-3'].state === 'ejected');
    expect(Object.keys((await spell()).byUpstream).sort()).toEqual(['anvil-1', 'anvil-2']);
    await rpc(devnet.url(2), 'anvil_setChainId', [31_337]);
    await gateway.until((upstreams) => serve(upstreams, ['anvil-3']));
    expect(Object.keys((await spell()).byUpstream).sort()).toEqual(HONEST);
  });
});

/** A node beside the devnet that makes the devnet's empty blocks again, until told to make others. */
class LoneNode {
  readonly httpUrl: string;
  #gone = false;

  private constructor(anvil: Anvil) {
    this.httpUrl = `http://127.0.0.1:${anvil.port}`;
  }

  static async start(): Promise<LoneNode> {
    const genesis = await blockOf(0);
    const root = mkdtempSync(join(tmpdir(), 'tidegate-'));
    const chain = { chainId: 31_337, genesisTimestamp: genesis.timestamp, hardfork: 'prague' };
    const anvil = await startAnvil({ binary: findAnvil(), chain, port: 0, directory: join(root, 'anvil'), startTimeoutMs: 20_000 });
    const node = new LoneNode(anvil);
    const following = node.#follow();
    closers.push(async () => {
      node.#gone = true;
      await following;
      await anvil.stop(2_000);
      rmSync(root, { recursive: true, force: true });
    });
    return node;
  }

  /** From now on its blocks pay another address: the same heights, other hashes. */
  async branch(): Promise<void> {
    await rpc(this.httpUrl, 'anvil_setCoinbase', ['0x000000000000000000000000000000000000beef']);
  }

  async #follow(): Promise<void> {
    for (let number = 1; !this.#gone; number++) {
      await devnet.sequencer.reached(0, number);
      await rpc(this.httpUrl, 'evm_mine', [(await blockOf(number)).timestamp]);
    }
  }
}

async function blockOf(number: number): Promise<{ hash: string; timestamp: number }> {
  const { hash, timestamp } = await rpc<{ hash: string; timestamp: string }>(devnet.url(0), 'eth_getBlockByNumber', [`0x${number.toString(16)}`, false]);
  return { hash, timestamp: Number(timestamp) };
}

describe('a node on another branch', () => {
  it('is ejected for it, though it keeps up in height', async () => {
    const lone = await LoneNode.start();
    await front([{ name: 'lone', httpUrl: lone.httpUrl }]);
    await gateway.until((upstreams) => serve(upstreams, ['lone']));
    await lone.branch();
    const out = await gateway.until((upstreams) => upstreams['lone']?.state === 'ejected');
    expect(out['lone']?.reason).toBe('fork');
    const { errors, byUpstream } = await spell();
    expect(errors).toEqual({});
    expect(Object.keys(byUpstream).sort()).toEqual(HONEST);
    expect(honestLosses()).toEqual([]);
  });
});
