import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Anvil, startAnvil } from '../../src/devnet/anvil.ts';
import { findAnvil } from '../../src/devnet/binary.ts';
import { type Bend, BentNode } from '../help/bentNode.ts';
import { rpc } from '../help/client.ts';
import { type TestDevnet, testDevnet } from '../help/devnet.ts';
import { type Fronted, serve, type TestGateway, testGateway } from '../help/gateway.ts';
import { type LoadReport, startLoad } from '../help/load.ts';

const CALLS_PER_S = 200;
const SPELL = 200;
const HONEST = ['anvil-1', 'anvil-2', 'anvil-3'];
const health = { ramp: { durationMs: 500 } };

/** What a test hands its cleaning up to: its own end, because some run at once. */
type AtEnd = (close: () => Promise<void> | void) => unknown;

let devnet: TestDevnet;

beforeAll(async () => {
  devnet = await testDevnet({ blockTimeMs: 1_000 });
  await devnet.mine(3);
  await devnet.settled();
});
afterAll(() => devnet.close());

/** A gateway over these nodes, when all of the devnet among them serve. */
async function front(atEnd: AtEnd, nodes: readonly Fronted[], chain: object = {}): Promise<TestGateway> {
  const gateway = await testGateway(nodes, { chain: { health, ...chain } });
  atEnd(() => gateway.close());
  const honest = nodes.map(({ name }) => name).filter((name) => HONEST.includes(name));
  await gateway.until((upstreams) => serve(upstreams, honest));
  return gateway;
}

/** A node that bends what node 0 says. */
async function bent(atEnd: AtEnd, name: string, bend: Bend): Promise<Fronted & { readonly asked: readonly string[] }> {
  const node = await BentNode.start(devnet.url(0), bend);
  atEnd(() => node.close());
  return { name, httpUrl: node.httpUrl, asked: node.asked };
}

/** What some calls come to now. */
async function spell(gateway: TestGateway): Promise<LoadReport> {
  const load = startLoad(gateway.url, CALLS_PER_S);
  await load.answered(SPELL);
  return load.stop();
}

/** Expects calls to be answered by these nodes, and by all of them. */
async function answeredBy(gateway: TestGateway, names: readonly string[]): Promise<void> {
  const { errors, byUpstream } = await spell(gateway);
  expect(errors).toEqual({});
  expect(Object.keys(byUpstream).sort()).toEqual(names);
}

/** What happened to the honest nodes after they began to serve. */
const honestLosses = (gateway: TestGateway): string[] => gateway.transitions.filter((line) => /^anvil-\d serving>/.test(line));

describe('a node that is behind', () => {
  it('is ejected for lag, gets no call, and returns when it has caught up', async ({ onTestFinished }) => {
    const gateway = await front(onTestFinished, devnet.nodes);
    // Calls go on all the while: none may fail.
    const load = startLoad(gateway.url, CALLS_PER_S);
    onTestFinished(async () => void (await load.stop()));
    devnet.sequencer.hold(2, 10);
    await devnet.mine(10);
    const out = await gateway.until((upstreams) => upstreams['anvil-3']?.state === 'ejected');
    expect(out['anvil-3']?.reason).toBe('lag');
    expect(out['anvil-3']?.lagBlocks).toBeGreaterThanOrEqual(10);
    await answeredBy(gateway, ['anvil-1', 'anvil-2']);
    devnet.sequencer.hold(2, 0);
    await gateway.until((upstreams) => serve(upstreams, ['anvil-3']));
    await answeredBy(gateway, HONEST);
    expect((await load.stop()).errors).toEqual({});
    expect(gateway.transitions.filter((line) => line.startsWith('anvil-3 '))).toEqual([
      'anvil-3 probation>serving ok',
      'anvil-3 serving>ejected lag',
      'anvil-3 ejected>probation lag',
      'anvil-3 probation>ramping ok',
      'anvil-3 ramping>serving ok',
    ]);
    expect(honestLosses(gateway)).toEqual(['anvil-3 serving>ejected lag']);
  });
});

describe('a node that changes over to another chain', () => {
  it('gets no traffic any more, and some when it is back', async ({ onTestFinished }) => {
    const gateway = await front(onTestFinished, devnet.nodes, { health: { ...health, probeIntervalMs: 100 } });
    await rpc(devnet.url(2), 'anvil_setChainId', [1_337]);
    await gateway.until((upstreams) => upstreams['anvil-3']?.reason === 'wrong-chain' && upstreams['anvil-3'].state === 'ejected');
    await answeredBy(gateway, ['anvil-1', 'anvil-2']);
    await rpc(devnet.url(2), 'anvil_setChainId', [31_337]);
    await gateway.until((upstreams) => serve(upstreams, ['anvil-3']));
    await answeredBy(gateway, HONEST);
  });
});

/** Raises the head by a million blocks while `lies()`. */
const boaster =
  (lies: () => boolean): Bend =>
  (method, params, result) => {
    const raised = (number: unknown): string => `0x${(Number(number) + 1_000_000).toString(16)}`;
    if (!lies()) return result;
    if (method === 'eth_blockNumber') return raised(result);
    if (method !== 'eth_getBlockByNumber' || params[0] !== 'latest') return result;
    const block = result as { number: string; hash: string };
    return { ...block, number: raised(block.number), hash: block.hash.replace(/^0x..../, '0xbeef'), parentHash: block.hash };
  };

// These leave the devnet as it is, and wait for seconds: they run at once.
describe.concurrent('beside honest nodes', () => {
  it.for([
    ['three', HONEST],
    ['two', HONEST.slice(0, 2)],
  ] as const)('a node that reports a head 1,000,000 too high is ejected, and none of %s honest ones with it', async ([, honest], { onTestFinished }) => {
    let lies = false;
    const liar = await bent(onTestFinished, 'liar', boaster(() => lies));
    const gateway = await front(onTestFinished, [...devnet.nodes.slice(0, honest.length), liar]);
    await gateway.until((upstreams) => serve(upstreams));
    lies = true;
    const out = await gateway.until((upstreams) => upstreams['liar']?.state === 'ejected');
    expect(out['liar']?.reason).toBe('lying-head');
    await answeredBy(gateway, honest);
    expect((await gateway.chain()).head?.number).toBeLessThan(1_000);
    expect(honestLosses(gateway)).toEqual([]);
  });

  it('a node that did so from the start is not let in', async ({ onTestFinished }) => {
    const liar = await bent(onTestFinished, 'liar', boaster(() => true));
    const gateway = await front(onTestFinished, [...devnet.nodes, liar]);
    const { tip } = devnet.sequencer;
    await gateway.until((_, { head }) => (head?.number ?? 0) > tip + 1);
    await answeredBy(gateway, HONEST);
    expect((await gateway.chain()).head?.number).toBeLessThan(1_000);
    expect(honestLosses(gateway)).toEqual([]);
  });

  it('a node of another chain gets no traffic where the chain id is set', async ({ onTestFinished }) => {
    const stranger = await bent(onTestFinished, 'stranger', (method, _, result) => (method === 'eth_chainId' ? '0x539' : result));
    const gateway = await front(onTestFinished, [...devnet.nodes, stranger], { chainId: 31_337 });
    const out = await gateway.until((upstreams) => upstreams['stranger']?.state === 'ejected');
    expect(out['stranger']).toMatchObject({ reason: 'wrong-chain', chainId: 1_337 });
    await answeredBy(gateway, HONEST);
    expect(stranger.asked).not.toContain('eth_getBalance');
    expect(stranger.asked).not.toContain('eth_call');
  });

  it('a node on another branch is ejected for it, though it keeps up in height', async ({ onTestFinished }) => {
    const lone = await LoneNode.start(onTestFinished);
    const gateway = await front(onTestFinished, [...devnet.nodes, lone]);
    await gateway.until((upstreams) => serve(upstreams));
    lone.branch();
    const out = await gateway.until((upstreams) => upstreams['lone']?.state === 'ejected');
    expect(out['lone']?.reason).toBe('fork');
    await answeredBy(gateway, HONEST);
    expect(honestLosses(gateway)).toEqual([]);
  });
});

/** A node beside the devnet that makes the devnet's empty blocks again, until told to make others. */
class LoneNode {
  readonly name = 'lone';
  readonly httpUrl: string;
  #gone = false;
  #branches = false;

  private constructor(anvil: Anvil) {
    this.httpUrl = `http://127.0.0.1:${anvil.port}`;
  }

  static async start(atEnd: AtEnd): Promise<LoneNode> {
    const genesis = await blockOf(0);
    const root = mkdtempSync(join(tmpdir(), 'tidegate-'));
    const chain = { chainId: 31_337, genesisTimestamp: genesis.timestamp, hardfork: 'prague' };
    const anvil = await startAnvil({ binary: findAnvil(), chain, port: 0, directory: join(root, 'anvil'), startTimeoutMs: 20_000 });
    const node = new LoneNode(anvil);
    const following = node.#follow();
    atEnd(async () => {
      node.#gone = true;
      await following;
      await anvil.stop(2_000);
      rmSync(root, { recursive: true, force: true });
    });
    return node;
  }

  /** From its next block on they pay another address: the same heights, other hashes. */
  branch(): void {
    this.#branches = true;
  }

  async #follow(): Promise<void> {
    for (let number = 1; !this.#gone; number++) {
      await devnet.sequencer.reached(0, number);
      // not beside a block that is being made: anvil writes its environment back after each
      if (this.#branches) await rpc(this.httpUrl, 'anvil_setCoinbase', ['0x000000000000000000000000000000000000beef']);
      await rpc(this.httpUrl, 'evm_mine', [(await blockOf(number)).timestamp]);
    }
  }
}

async function blockOf(number: number): Promise<{ hash: string; timestamp: number }> {
  const { hash, timestamp } = await rpc<{ hash: string; timestamp: string }>(devnet.url(0), 'eth_getBlockByNumber', [`0x${number.toString(16)}`, false]);
  return { hash, timestamp: Number(timestamp) };
}
