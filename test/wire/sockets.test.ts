import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { rpc } from '../help/client.ts';
import { ENGINES } from '../help/edge.ts';
import { FatNode } from '../help/fatNode.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { GatewayChoice, TestGateway } from '../help/gateway.ts';
import { Lockstep } from '../help/lockstep.ts';

let chain: Lockstep;
let gateway: TestGateway;
const sockets: WebSocket[] = [];
beforeAll(async () => {
  chain = await Lockstep.start(1);
  await chain.block(2, 4);
  await chain.settled();
});
afterAll(() => chain.close());
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await gateway.close();
});

async function start(choice: GatewayChoice): Promise<void> {
  gateway = await testGateway(chain.nodes, choice);
  await gateway.until((upstreams) => serve(upstreams));
}

/** The HTTP status of a refused upgrade, or the open connection. */
function tryOpen(path = '', headers: Readonly<Record<string, string>> = {}): Promise<WebSocket | number> {
  const ws = new WebSocket(gateway.url.replace('http', 'ws') + path, { headers });
  sockets.push(ws);
  return new Promise((resolve) => {
    ws.on('error', () => undefined);
    ws.once('open', () => resolve(ws));
    ws.once('unexpected-response', (request, response) => {
      request.destroy();
      resolve(response.statusCode ?? 0);
    });
  });
}

async function open(): Promise<WebSocket> {
  const ws = await tryOpen();
  if (typeof ws === 'number') throw new Error(`refused: ${ws}`);
  return ws;
}

/** Sends texts and resolves with as many messages. */
function talk(ws: WebSocket, texts: readonly string[], answers = texts.length): Promise<unknown[]> {
  const got: unknown[] = [];
  return new Promise((resolve) => {
    const take = (data: unknown): void => {
      got.push(JSON.parse(String(data)));
      if (got.length < answers) return;
      ws.off('message', take);
      resolve(got);
    };
    ws.on('message', take);
    for (const text of texts) ws.send(text);
  });
}

const call = (id: number | string, method: string, ...params: readonly unknown[]): string => JSON.stringify({ jsonrpc: '2.0', id, method, params });

async function gauge(name: string): Promise<number> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#')).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Resolves when both gauges are at zero. */
async function untilEmpty(): Promise<void> {
  while ((await gauge('tidegate_websocket_connections')) + (await gauge('tidegate_subscriptions')) > 0) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(ENGINES)('WebSocket clients of the engine %s', (engine) => {
  it('call, batch, notify and err as over HTTP', async () => {
    await start({ engine });
    const ws = await open();
    const [number] = await talk(ws, [call('a', 'eth_blockNumber')]);
    expect(number).toEqual({ jsonrpc: '2.0', id: 'a', result: `0x${chain.tip.toString(16)}` });
    expect(await talk(ws, [`[${call(1, 'eth_chainId')},${call(2, 'no_such')},{"jsonrpc":"2.0","method":"eth_chainId"},5]`])).toEqual([
      [
        { jsonrpc: '2.0', id: 1, result: '0x7a69' },
        expect.objectContaining({ id: 2, error: expect.objectContaining({ code: -32601 }) }),
        expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32600 }) }),
      ],
    ]);
    // nothing is said to a notification: the next answer is that of the next call
    ws.send('{"jsonrpc":"2.0","method":"eth_chainId"}');
    const answers = await talk(ws, ['{', '[]', call(3, 'eth_getBlockTransactionCountByNumber', '0x1')]);
    expect(answers).toEqual(expect.arrayContaining([
      expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32700 }) }),
      expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32600 }) }),
      { jsonrpc: '2.0', id: 3, result: '0x1' },
    ]));
  });

  it('subscribe and unsubscribe, are told what is wrong with a wish, and over HTTP that there are no notices', async () => {
    await start({ engine, server: { webSocket: { maxSubscriptions: 2 } } });
    const ws = await open();
    const [first, second, third] = (await talk(ws, [1, 2, 3].map((id) => call(id, 'eth_subscribe', 'newHeads')))) as { result?: string; error?: { code: number } }[];
    expect(first?.result).toMatch(/^0x[0-9a-f]{32}$/);
    expect(second?.result).not.toBe(first?.result);
    expect(third?.error?.code).toBe(-32005);
    expect(await talk(ws, [call(4, 'eth_unsubscribe', first?.result), call(5, 'eth_unsubscribe', first?.result), call(6, 'eth_unsubscribe'), call(7, 'eth_subscribe', 'logs', { address: '0x1' })])).toMatchObject([
      { id: 4, result: true },
      { id: 5, error: { code: -32000, message: 'subscription not found' } },
      { id: 6, error: { code: -32602 } },
      { id: 7, error: { code: -32602, message: 'invalid params: params[1].address is not a 20-byte address' } },
    ]);
    const told = talk(ws, [], 1);
    await chain.block(1, 4);
    expect(await told).toMatchObject([{ method: 'eth_subscription', params: { subscription: second?.result, result: { number: `0x${chain.tip.toString(16)}` } } }]);
    await expect(rpc(gateway.url, 'eth_subscribe', ['newHeads'])).rejects.toMatchObject({ code: -32601 });
    ws.terminate();
    await untilEmpty();
  });

  it('get the answer to a batch before the notices of what it subscribes to', async () => {
    await start({ engine });
    const ws = await open();
    const told = talk(ws, [`[${call(1, 'eth_subscribe', 'newHeads')},${call(2, 'eth_getBlockByNumber', '0x1', true)}]`], 2);
    await chain.block(1, 4);
    const [answer, notice] = (await told) as [{ result: string }[], { params: { subscription: string } }];
    expect(notice.params.subscription).toBe(answer[0]?.result);
  });

  it('read the chain at a block as soon as they were told of it', async () => {
    await start({ engine });
    const ws = await open();
    await talk(ws, [call(1, 'eth_subscribe', 'newHeads')]);
    for (let i = 0; i < 5; i++) {
      const told = talk(ws, [], 1);
      await chain.block(1, 4);
      await told;
      expect(await talk(ws, [call(2, 'eth_blockNumber')])).toMatchObject([{ result: `0x${chain.tip.toString(16)}` }]);
      expect(await talk(ws, [call(3, 'eth_getBlockByNumber', 'latest', false)])).toMatchObject([{ result: { number: `0x${chain.tip.toString(16)}` } }]);
    }
  });

  it('need a key where the config says so, in the path or the header, and a chain that is there', async () => {
    const keys = [{ name: 'app', sha256: createHash('sha256').update('secret-of-the-app').digest('hex') }];
    await start({ engine, access: { required: true, keys }, server: { webSocket: { maxConnectionsPerKey: 1 } } });
    expect(await tryOpen()).toBe(401);
    const ws = await tryOpen('secret-of-the-app');
    expect(ws).toBeInstanceOf(WebSocket);
    expect(await tryOpen('', { authorization: 'Bearer secret-of-the-app' })).toBe(429);
    (ws as WebSocket).terminate();
    await untilEmpty();
    expect(await tryOpen('', { authorization: 'Bearer secret-of-the-app' })).toBeInstanceOf(WebSocket);
  });

  it('are limited by address and in calls under way, and may be turned away altogether', async () => {
    await start({ engine, server: { webSocket: { maxConnectionsPerIp: 1, maxInFlight: 1 } } });
    const ws = await open();
    expect(await tryOpen()).toBe(429);
    expect(await tryOpen('nothing-here')).toBe(404);
    const answers = (await talk(ws, [call(1, 'eth_getBalance', '0x0000000000000000000000000000000000000001', 'latest'), call(2, 'eth_chainId')])) as { id: number; error?: { code: number } }[];
    expect(answers.find(({ id }) => id === 2)?.error?.code).toBe(-32005);
    expect(answers.find(({ id }) => id === 1)?.error).toBeUndefined();
    await gateway.close();
    await start({ engine, server: { webSocket: { enabled: false } } });
    expect(await tryOpen()).toBe(400);
  });

  it.each([true, false])('are told of heads, logs and pending transactions, each once, by a node with a WebSocket: %s', { timeout: 30_000 }, async (hasSocket) => {
    const nodes = chain.nodes.map(({ name, httpUrl, wsUrl }) => ({ name, httpUrl, ...(hasSocket ? { wsUrl } : {}) }));
    gateway = await testGateway(nodes, { engine, chain: { health: { probeIntervalMs: 100 } } });
    await gateway.until((upstreams) => serve(upstreams));
    const ws = await open();
    const kinds = [['newHeads'], ['logs', { address: chain.emitter }], ['newPendingTransactions'], ['newPendingTransactions', true]] as const;
    const answers = (await talk(ws, kinds.map((params, id) => call(id, 'eth_subscribe', ...params)))) as { id: number; result: string }[];
    const told = new Map(answers.map(({ id, result }) => [result, { id, keys: [] as string[] }]));
    const of = (kind: number): readonly string[] => [...told.values()].find(({ id }) => id === kind)?.keys ?? [];
    let wake: () => void = () => undefined;
    ws.on('message', (data) => {
      const { subscription, result } = (JSON.parse(String(data)) as { params: { subscription: string; result: string | { hash?: string; transactionHash?: string; logIndex?: string } } }).params;
      told.get(subscription)?.keys.push(typeof result === 'string' ? result : (result.hash ?? `${result.transactionHash}/${result.logIndex}`));
      wake();
    });
    const until = async (holds: () => boolean): Promise<void> => {
      while (!holds()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    // until the node is listened to nothing is told of what waits
    do {
      await chain.block(2, 4);
      await chain.settled();
      await until(() => of(0).length > 0);
    } while (of(2).length === 0);
    await chain.block(2, 4);
    await chain.settled();
    const { hash, transactions } = await rpc<{ hash: string; transactions: readonly string[] }>(chain.nodes[0]?.url ?? '', 'eth_getBlockByNumber', ['latest', false]);
    await until(() => of(0).at(-1) === hash && transactions.every((one) => of(2).includes(one) && of(3).includes(one) && of(1).filter((log) => log.startsWith(one)).length === 2));
    for (const { keys } of told.values()) expect(new Set(keys).size).toBe(keys.length);
    expect(of(1)).toHaveLength(4 * of(0).length);
  });

  it('are told when no node is in sync, and when one is again', { timeout: 30_000 }, async () => {
    const nodes = await Promise.all([FatNode.start(), FatNode.start()]);
    gateway = await testGateway(nodes.map(({ httpUrl, wsUrl }, i) => ({ name: `n${i}`, httpUrl, wsUrl })), { engine, chain: { health: { probeIntervalMs: 100 } } });
    await gateway.until((upstreams) => serve(upstreams));
    const ws = await open();
    const [answer] = (await talk(ws, [call(1, 'eth_subscribe', 'syncing')])) as [{ result: string }];
    const status = { startingBlock: '0x1', currentBlock: '0x4', highestBlock: '0x64' };
    const first = talk(ws, [], 1);
    for (const node of nodes) node.syncing = status;
    expect(await first).toEqual([{ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription: answer.result, result: { syncing: true, status } } }]);
    const last = new Promise((resolve) => {
      // words of progress may come before
      ws.on('message', (data) => {
        const { params } = JSON.parse(String(data)) as { params: { result: unknown } };
        if (params.result === false) resolve(params.result);
      });
    });
    (nodes[1] as FatNode).syncing = false;
    expect(await last).toBe(false);
    ws.terminate();
    await untilEmpty();
    await Promise.all(nodes.map((node) => node.close()));
  });

  it('come and go by the hundred, with floods of wishes, and leave nothing', { timeout: 60_000 }, async () => {
    await start({ engine });
    for (let round = 0; round < 10; round++) {
      const some = await Promise.all(Array.from({ length: 30 }, () => open()));
      await Promise.all(some.map(async (ws, i) => {
        const answers = (await talk(ws, Array.from({ length: 20 }, (_, n) => call(n, 'eth_subscribe', ...(n % 2 === 0 ? ['newHeads'] : ['logs', { topics: [`0x${(n + i).toString(16).padStart(64, '0')}`] }]))))) as { result: string }[];
        if (i % 2 === 0) await talk(ws, answers.map(({ result }, n) => call(n, 'eth_unsubscribe', result)));
        if (i % 3 === 0) ws.terminate();
        else ws.close();
      }));
    }
    await untilEmpty();
    expect(await gauge('tidegate_notice_losses_total')).toBe(0);
  });
});
