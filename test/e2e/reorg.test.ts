import { Pool } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { serve, type TestGateway, testGateway } from '../help/gateway.ts';
import { Twins } from '../help/twins.ts';

const CLIENTS = 200;
const DEPTH = 12;
const ROUNDS = 3;
/** From one node's reorg to the next one's. */
const APART_MS = 250;
/** Init code that gives the hash of the block before: PUSH1 1, NUMBER, SUB, BLOCKHASH, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN. */
const PARENT_HASH = '0x60014303405f5260205ff3';

let twins: Twins;
let gateway: TestGateway;
let pool: Pool | undefined;
let readers: Readers | undefined;
afterEach(async () => {
  await readers?.stop();
  await pool?.close();
  await gateway.close();
  await twins.close();
});

/** A hash that a client was shown of a height. */
interface Shown {
  readonly client: number;
  readonly asked: string;
  readonly number: number;
  readonly hash: string;
}

interface Block {
  readonly number: string;
  readonly hash: string;
}

/** Clients that read one thing after the other, every other one past the cache, until they are stopped, and keep what they were shown, in order. */
class Readers {
  readonly shown: Shown[] = [];
  readonly errors: string[] = [];
  readonly #last: Block[] = [];
  readonly #pool: Pool;
  readonly #withState: boolean;
  #stopped = false;
  readonly #done: Promise<unknown>;

  constructor(pool: Pool, withState: boolean) {
    this.#pool = pool;
    this.#withState = withState;
    this.#done = Promise.all(Array.from({ length: CLIENTS }, (_, client) => this.#read(client)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #read(client: number): Promise<void> {
    const random = seededRandom(client + 1);
    while (!this.#stopped) {
      const last = this.#last[client];
      const height = last === undefined ? 'latest' : `0x${Math.max(1, Number(last.number) - Math.floor(random() * 20)).toString(16)}`;
      const way = Math.floor(random() * (this.#withState ? 5 : 3));
      if (way === 0) await this.#block(client, 'eth_getBlockByNumber', ['latest', false]);
      else if (way === 1) await this.#block(client, 'eth_getBlockByNumber', [height, false]);
      else if (way === 2 && last !== undefined) await this.#block(client, 'eth_getBlockByHash', [last.hash, false]);
      else if (way === 3) await this.#parent(client, 'latest');
      else if (way === 4) await this.#parent(client, height);
    }
  }

  async #block(client: number, method: string, params: readonly unknown[]): Promise<void> {
    const { result: block } = await this.#ask<Block>(client, method, params);
    if (block === null || block === undefined) return;
    this.shown.push({ client, asked: `${method} ${String(params[0])}`, number: Number(block.number), hash: block.hash });
    if (params[0] === 'latest') this.#last[client] = block;
  }

  /** A state read: its answer carries no hash that the edge could look at. */
  async #parent(client: number, at: string): Promise<void> {
    const { result: hash, block } = await this.#ask<string>(client, 'eth_call', [{ data: PARENT_HASH }, at]);
    if (typeof hash === 'string') this.shown.push({ client, asked: `eth_call ${at}`, number: (at === 'latest' ? block : Number(at)) - 1, hash });
  }

  async #ask<T>(client: number, method: string, params: readonly unknown[]): Promise<{ result?: T | null; block: number }> {
    const answer = await this.#pool.request({ path: '/', method: 'POST', headers: { 'content-type': 'application/json', ...(client % 2 === 0 ? { 'cache-control': 'no-cache' } : {}) }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
    const body = (await answer.body.json()) as { result?: T | null; error?: unknown };
    if (body.error !== undefined) this.errors.push(`${method} ${JSON.stringify(params)}: ${JSON.stringify(body.error)}`);
    return { ...body, block: Number(String(answer.headers['x-tidegate-block']).split(':')[0]) };
  }
}

/** What was shown against the branches in their order: of a height each, the last is the one that stands. */
function faultsIn(shown: readonly Shown[], branches: readonly Map<number, string>[]): string[] {
  const newest = new Map<number, { readonly branch: number; readonly asked: string }>();
  const faults: string[] = [];
  for (const { client, asked, number, hash } of shown) {
    const own = branches.map((branch, at) => (branch.get(number) === hash ? at : -1)).filter((at) => at >= 0);
    const before = newest.get(client) ?? { branch: 0, asked: 'nothing' };
    if (own.length === 0) faults.push(`client ${client}, ${asked}: ${number} ${hash} is on no branch`);
    else if (!own.some((at) => at >= before.branch)) faults.push(`client ${client}, ${asked}: ${number} is of branch ${own.join()} after ${before.branch} by ${before.asked}`);
    // a block that several branches share says nothing about the newest
    // anvil finds a block by its hash, then reads the state by its number: a state can be of the branch that it is changing to
    if ((own[0] ?? 0) > before.branch && !asked.startsWith('eth_call')) newest.set(client, { branch: own[0] ?? 0, asked: `${asked} of ${number}` });
  }
  return faults;
}

describe.each([
  ['auto', false],
  ['always', true],
] as const)('three real nodes, pinning %s', (pinning, withState) => {
  it(`reorg ${DEPTH} blocks ${ROUNDS} times: no client of ${CLIENTS} sees two branches at once, or an old one after a new one`, async () => {
    twins = await Twins.start(3);
    await twins.mine(40);
    const chain = { chainId: 31_337, blockTimeMs: 2_000, view: { pinning, maxWaitMs: 10_000 }, cache: { verifySample: 0.05 }, health: { probeIntervalMs: 250 } };
    gateway = await testGateway(twins.nodes, { chain });
    await gateway.until((upstreams, { head }) => serve(upstreams) && head?.number === 40);
    pool = new Pool(new URL(gateway.url).origin, { connections: CLIENTS });

    const branches = [await twins.hashes(0)];
    readers = new Readers(pool, withState);
    for (let round = 0; round < ROUNDS; round++) {
      await twins.reorg(DEPTH, APART_MS);
      branches.push(await twins.hashes(0));
      const top = branches.at(-1)?.get(40) ?? '';
      await gateway.until((_, { head }) => head?.hash === top);
      const { shown } = readers;
      const enough = shown.length + 2 * CLIENTS;
      await expect.poll(() => shown.length, { timeout: 30_000 }).toBeGreaterThan(enough);
    }
    await readers.stop();
    const { shown, errors } = readers;

    expect(faultsIn(shown, branches).slice(0, 10)).toEqual([]);
    expect(new Set(branches.map((branch) => branch.get(40))).size).toBe(ROUNDS + 1);
    for (const branch of branches.slice(1)) expect(shown.some(({ number, hash }) => branch.get(number) === hash)).toBe(true);
    const page = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    expect(page).toMatch(/tidegate_cache_verify_differences_total\{chain="test"\} 0\n/);
    expect(errors.slice(0, 5)).toEqual([]);
  });
});
