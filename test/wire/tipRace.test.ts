import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { rpc } from '../help/client.ts';
import { ENGINES } from '../help/edge.ts';
import { FatNode } from '../help/fatNode.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';

interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly code: number };
  readonly params?: { readonly result: { readonly number: string; readonly hash: string } };
}

let nodes: FatNode[] = [];
let gateway: TestGateway;
let ws: WebSocket;
let messages: Message[];
const waiting = new Set<() => void>();
beforeEach(async () => {
  nodes = await Promise.all([FatNode.start(), FatNode.start(), FatNode.start()]);
});
afterEach(async () => {
  ws.terminate();
  await gateway.close();
  await Promise.all(nodes.map((node) => node.close()));
});

const node = (place: number): FatNode => nodes[place] as FatNode;

/** The first message from now on that holds this, or one that has come. */
async function next(holds: (message: Message) => boolean): Promise<Message> {
  for (;;) {
    const found = messages.findIndex(holds);
    if (found >= 0) return messages.splice(found, 1)[0] as Message;
    await new Promise<void>((resolve) => {
      waiting.add(resolve);
    });
  }
}

const headOf = async (): Promise<{ number: number; hash: string }> => {
  const { params } = await next(({ params }) => params !== undefined);
  return { number: Number(params?.result.number), hash: params?.result.hash ?? '' };
};

function ask(id: number, method: string, ...params: readonly unknown[]): Promise<Message> {
  ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  return next((message) => message.id === id);
}

/** @param options of the upstreams, by their place */
async function start(engine: 'uws' | 'node', options: Readonly<Record<number, Readonly<Record<string, unknown>>>> = {}, chain: object = {}): Promise<void> {
  const fronted = nodes.map(({ httpUrl, wsUrl }, i) => ({ name: `n${i}`, httpUrl, wsUrl, options: options[i] ?? {} }));
  gateway = await testGateway(fronted, { engine, chain: { subscriptions: { tipRace: true }, blockTimeMs: 10_000, health: { probeIntervalMs: 250 }, view: { maxWaitMs: 15_000 }, ...chain } });
  await gateway.until((upstreams) => serve(upstreams, nodes.map((_, i) => `n${i}`).filter((_, i) => options[i] === undefined)) && nodes.every((one) => one.heard));
  ws = new WebSocket(gateway.url.replace('http', 'ws'), { perMessageDeflate: false });
  messages = [];
  ws.on('message', (data) => {
    messages.push(JSON.parse(String(data)) as Message);
    for (const wake of waiting) wake();
    waiting.clear();
  });
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
  await ask(1, 'eth_subscribe', 'newHeads');
  // by the first block it is proven that headers make their hashes
  for (const one of nodes) one.block();
  await headOf();
  await gateway.until((_, { head }) => head?.number === node(0).tip);
}

const BALANCE = ['0x0000000000000000000000000000000000000001', 'latest'] as const;

describe.each(ENGINES)('tipRace on the engine %s', (engine) => {
  // with stored answers and shared calls, which must not mix the two heads
  it('tells of a head on the word of one node, and asks only nodes that hold it for the connection that was told', async () => {
    await start(engine, {}, { cache: { enabled: true } });
    const before = node(0).tip;
    expect(await ask(2, 'eth_getBalance', ...BALANCE)).toMatchObject({ result: `0x${before.toString(16)}` });
    const number = node(1).block();
    expect(await headOf()).toMatchObject({ number });
    const tag = `0x${number.toString(16)}`;
    // each of them several times: the others would have their share of them
    for (let id = 10; id < 16; id++) expect(await ask(id, 'eth_getBalance', ...BALANCE)).toMatchObject({ result: tag });
    expect(await ask(20, 'eth_blockNumber')).toMatchObject({ result: tag });
    expect(await ask(21, 'eth_getBlockByNumber', 'latest', false)).toMatchObject({ result: { number: tag } });
    expect(await ask(22, 'eth_getBlockByNumber', tag, false)).toMatchObject({ result: { number: tag } });
    // whoever was not told of it sees what is trusted
    expect(await rpc(gateway.url, 'eth_blockNumber')).toBe(`0x${before.toString(16)}`);
    expect(await rpc(gateway.url, 'eth_getBalance', BALANCE)).toBe(`0x${before.toString(16)}`);
    const batch = next((message) => Array.isArray(message));
    ws.send(`[{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}]`);
    await ask(23, 'eth_chainId');
    expect(messages).toEqual([]);
    for (const place of [0, 2]) node(place).block();
    expect(await batch).toMatchObject([{ result: tag }]);
    expect(await rpc(gateway.url, 'eth_blockNumber')).toBe(tag);
  });

  it('tells of the block that the nodes agree on where the first one was alone with its own', async () => {
    await start(engine);
    node(0).extraBytes = 1;
    const number = node(0).block();
    const raced = await headOf();
    expect(raced.number).toBe(number);
    const tag = `0x${number.toString(16)}`;
    expect(await ask(2, 'eth_getBlockByNumber', 'latest', false)).toMatchObject({ result: { hash: raced.hash } });
    for (const place of [1, 2]) node(place).block();
    const agreed = await headOf();
    expect(agreed.number).toBe(number);
    expect(agreed.hash).not.toBe(raced.hash);
    for (let id = 10; id < 16; id++) expect(await ask(id, 'eth_getBlockByNumber', 'latest', false)).toMatchObject({ result: { number: tag, hash: agreed.hash } });
  });

  it('does not take the word of a node that is out of service', async () => {
    await start(engine, { 1: { weight: 0 } });
    const number = node(1).block();
    await gateway.until((upstreams) => upstreams['n1']?.headNumber === number);
    await ask(2, 'eth_chainId');
    expect(messages).toEqual([]);
    node(2).block();
    expect(await headOf()).toMatchObject({ number });
  });

  it.each(['is known to be down', 'is thought to serve still'])('waits for the head to be trusted where the node that told of it is gone, and %s', async (state) => {
    await start(engine);
    const number = node(1).block();
    const tag = `0x${number.toString(16)}`;
    await headOf();
    await node(1).close();
    if (state === 'is known to be down') await vi.waitFor(async () => expect((await gateway.upstreams())['n1']?.state).toBe('down'), { timeout: 10_000 });
    const answers = [ask(2, 'eth_getBalance', ...BALANCE), ask(3, 'eth_getBlockByNumber', tag, false), ask(4, 'eth_getBlockByNumber', 'latest', false), ask(5, 'no_such_method')];
    // whatever needs no block is answered, after those calls have looked for a node
    await ask(6, 'eth_chainId');
    expect(await answers[3]).toMatchObject({ error: { code: -32601 } });
    for (const place of [0, 2]) node(place).block();
    expect(await Promise.all(answers.slice(0, 3))).toMatchObject([{ result: tag }, { result: { number: tag } }, { result: { number: tag } }]);
  });
});
