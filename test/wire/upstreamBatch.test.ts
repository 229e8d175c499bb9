import { afterEach, describe, expect, it, vi } from 'vitest';
import { Sharing } from '../../src/route/sharing.ts';
import type { LightCall, SharingOptions } from '../../src/route/sharing.ts';
import { requestEnvelope } from '../../src/rpc/envelope.ts';
import type { HttpUpstream, HttpUpstreamOptions } from '../../src/upstream/http.ts';
import type { Exchange } from '../../src/upstream/port.ts';
import { BatchNode, resultOf } from '../help/batchNode.ts';
import type { Asked } from '../help/batchNode.ts';
import { ManualWorld } from '../help/time.ts';
import { httpUpstream } from '../help/upstream.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

interface Bench {
  readonly node: BatchNode;
  readonly upstream: HttpUpstream;
  readonly world: ManualWorld;
  /** How the node took each batch. */
  readonly taken: string[];
  readonly sharing: Sharing;
}

interface Setup {
  readonly sharing?: Partial<SharingOptions>;
  readonly upstream?: Partial<HttpUpstreamOptions>;
  /** The node has answered so many batches before. */
  readonly answered?: number;
  readonly maxBytes?: number;
}

async function bench(setup: Setup = {}): Promise<Bench> {
  const node = await BatchNode.start();
  open.push(node);
  const world = new ManualWorld();
  const taken: string[] = [];
  const sharing = new Sharing({ enabled: true, maxCalls: 64, slots: 1, connections: 4, retryAfterMs: 60_000, ...setup.sharing }, 4);
  for (let i = 0; i < (setup.answered ?? 10); i++) sharing.onBatch(new Array<LightCall>(64).fill({ method: 0, hash: 0 }), { wallMs: 0, idleMs: 0 }, 0);
  const share = {
    sharing,
    maxBytes: setup.maxBytes ?? 65_536,
    maxWaitMs: 5,
    onShared: (calls: number, refusal: unknown) => taken.push(`${calls} ${refusal === null ? 'answered' : typeof refusal === 'string' ? refusal : 'failed'}`),
  };
  const upstream = httpUpstream(node.url, { share, ...setup.upstream }, world);
  open.push({ close: () => upstream.close(0) });
  return { node, upstream, world, taken, sharing };
}

interface Sent {
  readonly id: number;
  readonly exchange: Exchange;
  /** The answer's own bytes, or the failure's class. */
  readonly done: Promise<string>;
  readonly endings: string[];
}

function ask(upstream: HttpUpstream, id: number, { method = 0, batchable = true } = {}): Sent {
  const endings: string[] = [];
  let finish: (text: string) => void = () => undefined;
  const done = new Promise<string>((resolve) => {
    finish = resolve;
  });
  const end = (text: string): void => {
    endings.push(text);
    finish(text);
  };
  const exchange = upstream.call(requestEnvelope(id, 'eth_call', '[]'), {
    id,
    method,
    hash: 0,
    streamAboveBytes: Number.POSITIVE_INFINITY,
    onLarge: () => null,
    batchable,
    onReply: (_status, body) => end(body.toString('utf8')),
    onEntry: (body, entry) => end(entry.kind === 'bad' ? 'bad' : `entry ${body.toString('utf8', entry.start, entry.end)}`),
    onFailure: (outcome, detail) => end(`${outcome.class}: ${detail}`),
  });
  return { id, exchange, done, endings };
}

const askMany = (upstream: HttpUpstream, from: number, to: number): Sent[] => Array.from({ length: to - from + 1 }, (_, i) => ask(upstream, from + i));

const round = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The first one comes in a round of the event loop of its own, and is sent; the others find it under way. */
async function askBehind(upstream: HttpUpstream, from: number, to: number): Promise<Sent[]> {
  const first = ask(upstream, from);
  await round();
  return [first, ...askMany(upstream, from + 1, to)];
}

const entry = (id: number): string => `entry "0x${id.toString(16)}"`;

describe('calls that wait for a slot', () => {
  it('the first goes alone at once, those that wait meanwhile leave together when it is answered', async () => {
    const { node, upstream, taken } = await bench();
    const calls = await askBehind(upstream, 1, 6);
    const first = await node.request(0);
    expect([first.isBatch, upstream.waiting]).toEqual([false, 5]);
    first.answerAll();
    const second = await node.request(1);
    expect([second.isBatch, second.calls.map(({ id }) => id)]).toEqual([true, [2, 3, 4, 5, 6]]);
    second.answerAll();
    expect(await Promise.all(calls.map(({ done }) => done))).toEqual([resultOf(1), ...[2, 3, 4, 5, 6].map(entry)]);
    expect(taken).toEqual(['5 answered']);
  });

  it('what is not to be shared goes alone, past the light ones that wait', async () => {
    const { node, upstream } = await bench();
    await askBehind(upstream, 1, 3);
    ask(upstream, 4, { batchable: false });
    const heavy = await node.request(1);
    expect([heavy.isBatch, heavy.calls[0]?.id]).toEqual([false, 4]);
    expect(upstream.waiting).toBe(2);
  });

  it('calls that go alone do not keep light ones waiting', async () => {
    const { node, upstream } = await bench();
    ask(upstream, 1, { batchable: false });
    ask(upstream, 2, { batchable: false });
    ask(upstream, 3);
    expect((await node.request(2)).calls[0]?.id).toBe(3);
  });

  it('no batch holds more calls or bytes than allowed, and no exchange is beyond the connections', async () => {
    const each = requestEnvelope(10, 'eth_call', '[]').length;
    const { node, upstream } = await bench({ maxBytes: 3 * (each + 1) + 1 });
    await askBehind(upstream, 10, 20);
    node.auto = (asked) => asked.answerAll();
    await vi.waitFor(() => expect(node.sizes).toEqual([1, 3, 3, 3, 1]));
  });

  it('a batch that was thought to be light and is not keeps others waiting for maxWaitMs, no longer', async () => {
    const { node, upstream, world } = await bench();
    await askBehind(upstream, 1, 3);
    await node.request(0);
    world.advance(5);
    const second = await node.request(1);
    expect(second.calls.map(({ id }) => id)).toEqual([2, 3]);
  });
});

describe('calls that come in one round of the event loop', () => {
  it('leave together at its end', async () => {
    const { node, upstream, taken } = await bench();
    node.auto = (asked) => asked.answerAll();
    const calls = askMany(upstream, 1, 5);
    expect(calls.every(({ exchange }) => exchange.waiting)).toBe(true);
    expect(await Promise.all(calls.map(({ done }) => done))).toEqual([1, 2, 3, 4, 5].map(entry));
    expect([node.sizes, taken]).toEqual([[5], ['5 answered']]);
  });

  it('one that comes alone goes alone, at the end of its round', async () => {
    const { node, upstream } = await bench();
    const only = ask(upstream, 1);
    await round();
    expect(only.exchange.waiting).toBe(false);
    expect((await node.request(0)).isBatch).toBe(false);
  });

  it('what is not to be shared waits for no end', async () => {
    const { upstream } = await bench();
    expect(ask(upstream, 1, { batchable: false }).exchange.waiting).toBe(false);
  });

  it('sixteen of them do not wait for those behind them', async () => {
    const { node, upstream } = await bench();
    node.auto = (asked) => asked.answerAll();
    const calls = askMany(upstream, 1, 40);
    expect(calls.filter(({ exchange }) => exchange.waiting)).toHaveLength(24);
    await Promise.all(calls.map(({ done }) => done));
    expect(node.sizes).toEqual([16, 24]);
  });

  it('those given up in their round are not sent', async () => {
    const { node, upstream } = await bench();
    const [first, second] = askMany(upstream, 1, 2);
    first?.exchange.cancel();
    await round();
    expect([first?.endings, (await node.request(0)).calls.map(({ id }) => id)]).toEqual([['cancelled: cancelled'], [second?.id]]);
  });

  it('are refused beyond those that may wait, once a slot has taken what it can', async () => {
    const { node, upstream } = await bench({ upstream: { maxWaiting: 3 } });
    const calls = askMany(upstream, 1, 7);
    expect(await Promise.all(calls.slice(6).map(({ done }) => done))).toEqual(['transport: too many calls wait for a connection']);
    expect((await node.request(0)).calls.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(upstream.waiting).toBe(3);
  });

  it('fail when the upstream is closed before its end', async () => {
    const { upstream } = await bench();
    const calls = askMany(upstream, 1, 2);
    await upstream.close(0);
    expect(await Promise.all(calls.map(({ done }) => done))).toEqual(['transport: closing', 'transport: closing']);
  });

  it('are answered when it is closed with time', async () => {
    const { node, upstream } = await bench();
    node.auto = (asked) => asked.answerAll();
    const calls = askMany(upstream, 1, 2);
    const closed = upstream.close(60_000);
    expect(await Promise.all(calls.map(({ done }) => done))).toEqual([1, 2].map(entry));
    await closed;
  });
});

describe('each call in a batch ends by itself', () => {
  async function inBatch(): Promise<Bench & { calls: Sent[]; batch: Asked }> {
    const made = await bench();
    const calls = await askBehind(made.upstream, 1, 4);
    (await made.node.request(0)).answerAll();
    return { ...made, calls, batch: await made.node.request(1) };
  }

  it('one that is cancelled leaves the others to their answers', async () => {
    const { calls, batch } = await inBatch();
    calls[1]?.exchange.cancel();
    expect(calls[1]?.endings).toEqual(['cancelled: cancelled']);
    batch.answerAll();
    expect(await Promise.all(calls.slice(2).map(({ done }) => done))).toEqual([entry(3), entry(4)]);
    expect(calls[1]?.endings).toHaveLength(1);
  });

  it('when all are cancelled the connection is closed and its slot is free', async () => {
    const { node, upstream, calls, batch } = await inBatch();
    for (const { exchange } of calls) exchange.cancel();
    await vi.waitFor(() => expect(batch.cut).toBe(true));
    ask(upstream, 9);
    expect((await node.request(2)).calls[0]?.id).toBe(9);
  });

  it('one that is cancelled while it waits is not sent', async () => {
    const { node, upstream } = await bench();
    const calls = await askBehind(upstream, 1, 4);
    expect(calls[2]?.exchange.waiting).toBe(true);
    calls[2]?.exchange.cancel();
    (await node.request(0)).answerAll();
    expect((await node.request(1)).calls.map(({ id }) => id)).toEqual([2, 4]);
  });

  it('a cut connection fails each of them, for the caller to ask another node', async () => {
    const { calls, batch, taken } = await inBatch();
    batch.hangUp();
    for (const call of calls.slice(1)) expect(await call.done).toMatch(/^transport: /);
    expect(taken).toEqual(['3 failed']);
  });

  it('closing fails each of them', async () => {
    const { upstream, calls } = await inBatch();
    await upstream.close(0);
    for (const call of calls.slice(1)) expect(await call.done).toBe('transport: closing');
  });
});

describe('nodes that take no batches, or answer them wrongly', () => {
  const error = (message: string, id: string | number = 'null'): string => `{"jsonrpc":"2.0","id":${id},"error":{"code":-32600,"message":"${message}"}}`;
  const ids = (asked: Asked): number[] => asked.calls.map(({ id }) => id);

  it.each<[string, (asked: Asked) => void, string]>([
    ['a single error object', (asked) => asked.answer(error('batches are not supported')), 'refused'],
    ['a status without JSON-RPC', (asked) => asked.answer('no', 400), 'refused'],
    ['a status with an error object', (asked) => asked.answer(error('invalid request'), 400), 'refused'],
    ['an empty body', (asked) => asked.answer(''), 'refused'],
    ['an empty list', (asked) => asked.answer('[]'), 'refused'],
    ['a list cut short', (asked) => asked.answer(`[${resultOf(2)},{"jsonrpc"`), 'refused'],
    ['ids of nobody', (asked) => asked.answer(`[${ids(asked).map((id) => resultOf(id + 1000)).join(',')}]`), 'refused'],
    ['ids all alike', (asked) => asked.answer(`[${ids(asked).map(() => resultOf(ids(asked)[0] ?? 0)).join(',')}]`), 'refused'],
    ['too large', (asked) => asked.answer(error('batch too large'), 413), 'tooLarge'],
    ['an answer over the limit', (asked) => asked.answer(`[${' '.repeat(5000)}]`), 'tooLarge'],
  ])('%s: every call is sent again alone and answered', async (_name, refuse, verdict) => {
    const { node, upstream, taken } = await bench({ upstream: { maxResponseBytes: 4096 } });
    node.auto = (asked) => (asked.isBatch ? refuse(asked) : asked.answerAll());
    const calls = await askBehind(upstream, 1, 5);
    expect(await Promise.all(calls.map(({ done }) => done))).toEqual([1, 2, 3, 4, 5].map(resultOf));
    expect(taken).toEqual([`4 ${verdict}`]);
    expect(calls.every(({ endings }) => endings.length === 1)).toBe(true);
  });

  it('what is right of a wrong answer is taken, the rest sent again alone', async () => {
    const { node, upstream, taken } = await bench();
    node.auto = (asked) => (asked.isBatch ? asked.answer(`[${resultOf(4)},${resultOf(2)},${resultOf(99)}]`) : asked.answerAll());
    const calls = await askBehind(upstream, 1, 4);
    expect(await Promise.all(calls.map(({ done }) => done))).toEqual([resultOf(1), entry(2), resultOf(3), entry(4)]);
    expect(taken).toEqual(['3 refused']);
  });

  it('the entries of a batch may come in any order', async () => {
    const { node, upstream } = await bench();
    node.auto = (asked) => (asked.isBatch ? asked.answer(`[${ids(asked).reverse().map(resultOf).join(',')}]`) : asked.answerAll());
    const calls = await askBehind(upstream, 1, 5);
    expect(await Promise.all(calls.map(({ done }) => done))).toEqual([resultOf(1), ...[2, 3, 4, 5].map(entry)]);
  });

  it('a refusal is remembered: no batch until its time is over, then a small one', async () => {
    const { node, upstream, world } = await bench();
    node.auto = (asked) => (asked.isBatch ? asked.answer(error('no batches')) : asked.answerAll());
    await Promise.all((await askBehind(upstream, 1, 9)).map(({ done }) => done));
    expect(node.sizes.filter((size) => size > 1)).toEqual([8]);
    await Promise.all((await askBehind(upstream, 10, 19)).map(({ done }) => done));
    expect(node.sizes.filter((size) => size > 1)).toEqual([8]);
    world.advance(60_000);
    node.auto = (asked) => asked.answerAll();
    await Promise.all((await askBehind(upstream, 20, 29)).map(({ done }) => done));
    expect(node.sizes.filter((size) => size > 1)).toEqual([8, 2, 4, 3]);
  });

  it('of a node that answered no batch yet, a cut connection is taken for a refusal', async () => {
    const { node, upstream, taken } = await bench({ answered: 0 });
    node.auto = (asked) => (asked.isBatch ? asked.hangUp() : asked.answerAll());
    const calls = await askBehind(upstream, 1, 3);
    expect(await Promise.all(calls.map(({ done }) => done))).toEqual([1, 2, 3].map(resultOf));
    expect(taken).toEqual(['2 refused']);
  });

  it('of a node that answered no batch yet, one that everybody gave up after a second is a refusal', async () => {
    const { node, upstream, taken, world } = await bench({ answered: 0 });
    const calls = await askBehind(upstream, 1, 3);
    (await node.request(0)).answerAll();
    await node.request(1);
    world.advance(1_000);
    for (const { exchange } of calls) exchange.cancel();
    expect(taken).toEqual(['2 refused']);
  });
});
