import { gunzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ENGINES } from '../help/edge.ts';
import { untilQuiet } from '../help/edgePressure.ts';
import { testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { begin, hear, pour, tell } from '../help/largeCall.ts';
import { ScriptNode } from '../help/scriptNode.ts';
import type { NodeCall, Say } from '../help/scriptNode.ts';

const PATIENCE = { timeout: 20_000, interval: 20 };
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A result with all that JSON has, of about so many bytes. */
function resultOf(bytes: number): string {
  const item = JSON.stringify({ pc: 1, op: 'PUSH "1\\', cost: -1.5e-7, ok: true, none: null, deep: [[], {}, ['é\n']], memory: `0x${'ab'.repeat(100)}` });
  return `[${new Array(Math.ceil(bytes / (item.length + 1))).fill(item).join()}]`;
}

const LARGE = resultOf(900_000);

interface World {
  readonly gateway: TestGateway;
  readonly nodes: readonly ScriptNode[];
}

async function world(engine: 'uws' | 'node', says: readonly ((call: NodeCall) => Say)[], server: object = {}): Promise<World> {
  const nodes = await Promise.all(says.map((say) => ScriptNode.start(say)));
  closers.push(...nodes.map((node) => () => node.close()));
  const gateway = await testGateway(nodes.map(({ httpUrl }, at) => ({ name: `n${at}`, httpUrl })), { engine, server: { streamAboveBytes: '100KiB', ...server }, chain: { chainId: 1 } });
  closers.push(() => gateway.close());
  return { gateway, nodes };
}

/** A whole body of the node's own, cut into pieces of so many bytes. */
const body = (text: string, { status = 200, pieceBytes = 50_000, chunked = false, length = Buffer.byteLength(text) } = {}): Say => ({
  by: (response: ServerResponse) => {
    const bytes = Buffer.from(text);
    response.writeHead(status, { 'content-type': 'application/json', ...(chunked ? {} : { 'content-length': length }) });
    const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, at) => bytes.subarray(at * pieceBytes, (at + 1) * pieceBytes));
    void pour(response, pieces).then(() => (length > bytes.length ? response.destroy() : response.end()));
  },
});

const counts = async (gateway: TestGateway, metric: string): Promise<Record<string, number>> => {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const found = [...text.matchAll(new RegExp(`^tidegate_${metric}\\{.*outcome="(\\w+)".*\\} ([1-9]\\d*)$`, 'gm'))];
  return Object.fromEntries(found.map(([, name, value]) => [name, Number(value)]));
};
const streams = (gateway: TestGateway): Promise<Record<string, number>> => counts(gateway, 'streams_total');
const attempts = (gateway: TestGateway): Promise<Record<string, number>> => counts(gateway, 'upstream_requests_total');

describe.each(ENGINES)('large answers on %s', (engine) => {
  test.each([
    ['id first', (id: number) => `{"jsonrpc":"2.0","id":${id},"result":${LARGE}}`],
    ['id last, with a long end', (id: number) => `{"result" : ${LARGE} , "jsonrpc":"2.0","more":[{"a":"]}"}],  "id":${id} }\n\n`],
    ['a null error and an escaped name', (id: number) => `{"error":null,"\\u0072esult":${LARGE},"id":${id}}`],
    ['text as result', (id: number) => `{"id":${id},"result":"0x${'cd'.repeat(300_000)}"}`],
  ])('%s: the result comes as it is, under the client\'s own id', async (_, text) => {
    for (const chunked of [false, true]) {
      const { gateway } = await world(engine, [({ id }) => body(text(id), { chunked, pieceBytes: 33_333 })]);
      const result = JSON.stringify((JSON.parse(text(0)) as { result: unknown }).result);
      for (const id of ['7', '"se\\u0076en \\"7\\""', '123456789012345678901234567890', 'null', '-1.5']) {
        const heard = await tell(gateway.url, id);
        expect(heard).toMatchObject({ status: 200, whole: true });
        expect(heard.headers['content-length'] !== undefined).toBe(!chunked);
        const answer = heard.body.toString();
        expect(answer.startsWith(`{"jsonrpc":"2.0","id":${id},"result":`)).toBe(true);
        expect(JSON.stringify((JSON.parse(answer) as { result: unknown }).result) === result).toBe(true);
      }
      expect(await streams(gateway)).toEqual({ whole: 5 });
      expect(await attempts(gateway)).toEqual({ result: 5 });
      await untilQuiet(gateway);
    }
  }, 30_000);

  test.each([
    ['result last', (id: number, result: string) => `{"jsonrpc":"2.0","id":${id},"result":${result}}`],
    ['id last', (id: number, result: string) => `{"result":${result},"id":${id}}`],
    ['spaces behind it', (id: number, result: string) => `{"id":${id},"result":${result} }\n`],
    ['much else', (id: number, result: string) => `{"id":${id},"more":"${'x'.repeat(80_000)}","result":${result}}`],
  ])('%s: an answer that is taken whole comes under the id of each who asks', async (_, text) => {
    for (const size of [9000, 30_000, 80_000]) {
      const result = resultOf(size);
      const { gateway } = await world(engine, [({ id }) => body(text(id, result))], { streamAboveBytes: '1MiB', gzipAboveBytes: size === 80_000 ? '16KiB' : 0 });
      const ids = ['7', '"é"', 'null', '8', '9'];
      const heard = await Promise.all(ids.map((id) => tell(gateway.url, id, id === '9' ? { 'accept-encoding': 'gzip' } : {})));
      const told = heard.map(({ headers, body: bytes }) => (headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString());
      expect(told.map((each, at) => each === `{"jsonrpc":"2.0","id":${ids[at]},"result":${result}}`)).toEqual(ids.map(() => true));
      expect(heard.map(({ whole }) => whole)).toEqual(ids.map(() => true));
      await untilQuiet(gateway);
      const batch = await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: `[{"jsonrpc":"2.0","id":5,"method":"debug_traceTransaction","params":["0x${'1'.repeat(64)}"]}]` });
      expect(await batch.text()).toBe(`[{"jsonrpc":"2.0","id":5,"result":${result}}]`);
    }
  });

  test('wherever the node cuts its answer, what comes is the same', async () => {
    const text = `{"id":1,"result":["${'x'.repeat(110_000)}","\\u00e9\\\\\\"",-12.5e+3,true,{"a":null}]}`;
    let pieceBytes = 1;
    const { gateway, nodes } = await world(engine, [({ id }) => ({
      by: (response) => {
        const bytes = Buffer.from(text.replace('"id":1', `"id":${id}`));
        const tail = Array.from({ length: Math.ceil(60 / pieceBytes) }, (_, at) => bytes.subarray(bytes.length - 60 + at * pieceBytes).subarray(0, pieceBytes));
        response.writeHead(200, { 'content-type': 'application/json' });
        void pour(response, [bytes.subarray(0, bytes.length - 60), ...tail]).then(() => response.end());
      },
    })]);
    for (pieceBytes = 1; pieceBytes <= 8; pieceBytes++) {
      const heard = await tell(gateway.url, '1');
      expect(heard.body.toString()).toBe(text.replace('{', '{"jsonrpc":"2.0",'));
      expect(heard.whole).toBe(true);
    }
    expect(nodes[0]?.calls).toHaveLength(8);
    expect(await streams(gateway)).toEqual({ whole: 8 });
  });

  test.each<[string, (id: number) => Say, string]>([
    ['dies midway', (id) => body(`{"id":${id},"result":${LARGE}`, { length: Buffer.byteLength(LARGE) + 500 }), 'failed'],
    ['dies midway, chunked', (id) => ({ by: (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      void pour(response, [Buffer.from(`{"id":${id},"result":${LARGE.slice(0, 500_000)}`)]).then(() => response.socket?.destroy());
    } }), 'failed'],
    ['cuts its JSON short under a right length', (id) => body(`{"id":${id},"result":${LARGE.slice(0, -1)}`), 'malformed'],
    ['cuts its JSON short, chunked', (id) => body(`{"id":${id},"result":${LARGE.slice(0, -30)}`, { chunked: true }), 'malformed'],
    ['breaks its JSON', (id) => body(`{"id":${id},"result":${LARGE.slice(0, -1)},]}`), 'malformed'],
    ['gives another id behind the result', (id) => body(`{"result":${LARGE},"id":${id + 1}}`), 'malformed'],
    ['gives no id', () => body(`{"result":${LARGE},"jsonrpc":"2.0"}`), 'malformed'],
    ['gives an error behind the result', (id) => body(`{"id":${id},"result":${LARGE},"error":{"code":-32000,"message":"no"}}`), 'malformed'],
    ['gives two results', (id) => body(`{"id":${id},"result":${LARGE},"result":1}`), 'malformed'],
  ])('a node that %s: the client is cut off and never gets a body that looks whole', async (_, say, ending) => {
    const { gateway, nodes } = await world(engine, [({ id }) => say(id)]);
    const heard = await tell(gateway.url, '1');
    expect(heard.whole).toBe(false);
    expect(heard.body.length).toBeGreaterThan(100_000);
    expect(() => JSON.parse(heard.body.toString()) as unknown).toThrow();
    expect(nodes[0]?.calls).toHaveLength(1);
    await vi.waitFor(async () => expect(await streams(gateway)).toEqual({ [ending]: 1 }), PATIENCE);
    expect(await attempts(gateway)).toEqual({ [ending === 'failed' ? 'transport' : 'badJson']: 1 });
    await untilQuiet(gateway);
  });

  test('what is wrong before the result is large is judged, and another node asked', async () => {
    const error = (id: number): string => `{"id":${id},"error":{"data":"${'e'.repeat(300_000)}","code":-32603,"message":"internal error"}}`;
    const bad = [
      (id: number) => body(error(id)),
      (id: number) => body(`{"id":${id + 1},"result":${LARGE}}`),
      (id: number) => body(`{"id":${id},"result":${LARGE}}`, { status: 503 }),
      (id: number) => body(`[{"id":${id},"result":${LARGE}}]`),
      (id: number) => body(`{"id":${id},"result":[,${LARGE}]}`),
    ];
    for (const say of bad) {
      // whichever is asked first answers badly
      let asked = 0;
      const either = ({ id }: NodeCall): Say => (++asked === 1 ? say(id) : body(`{"id":${id},"result":${LARGE}}`));
      const { gateway } = await world(engine, [either, either]);
      const heard = await tell(gateway.url, '5');
      expect(heard.whole).toBe(true);
      expect(heard.body.toString().trim() === `{"jsonrpc":"2.0","id":5,"result":${LARGE}}`).toBe(true);
      expect(asked).toBe(2);
    }
  }, 30_000);

  test('an error over the threshold that is the chain\'s word is passed on whole', async () => {
    const data = `0x${'ee'.repeat(200_000)}`;
    const { gateway } = await world(engine, [() => ({ error: `{"code":3,"message":"execution reverted","data":"${data}"}` })]);
    const heard = await tell(gateway.url, '5');
    expect(JSON.parse(heard.body.toString())).toEqual({ jsonrpc: '2.0', id: 5, error: { code: 3, message: 'execution reverted', data } });
    expect(await streams(gateway)).toEqual({});
  });

  test('gzip for those that take it, and a cut in it is a cut for them', async () => {
    let cuts = false;
    const { gateway } = await world(engine, [({ id }) => (cuts ? body(`{"id":${id},"result":${LARGE}`) : body(`{"id":${id},"result":${LARGE}}`))]);
    const heard = await tell(gateway.url, '9', { 'accept-encoding': 'gzip' });
    expect(heard.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(gunzipSync(heard.body).toString() === `{"jsonrpc":"2.0","id":9,"result":${LARGE}}`).toBe(true);
    const plain = await tell(gateway.url, '9');
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers['vary']).toBe('accept-encoding');
    cuts = true;
    const cut = await tell(gateway.url, '9', { 'accept-encoding': 'gzip' });
    expect(cut.whole).toBe(false);
    expect(() => gunzipSync(cut.body)).toThrow();
    await untilQuiet(gateway);
  });

  test('a node that compresses although it was not asked to is another\'s call', async () => {
    const { gateway } = await world(engine, [() => ({ by: (response) => void response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': 600_000 }).end(Buffer.alloc(600_000, 1)) })]);
    const heard = await tell(gateway.url, '1');
    expect(JSON.parse(heard.body.toString())).toMatchObject({ error: { code: -32000 } });
  });

  test('whoever leaves midway takes his call with him; whoever does not read holds the node up', async () => {
    let wrote = 0;
    let isLeft = false;
    const piece = Buffer.from(`"${'y'.repeat(65_000)}",`);
    const endless = ({ id }: NodeCall): Say => ({
      by: (response) => {
        response.once('close', () => { isLeft = true; });
        response.writeHead(200, { 'content-type': 'application/json' });
        const pieces = function* (): Generator<Buffer> {
          yield Buffer.from(`{"id":${id},"result":[`);
          for (let at = 0; at < 5000; at++) {
            wrote += piece.length;
            yield piece;
          }
        };
        void pour(response, pieces());
      },
    });
    const { gateway } = await world(engine, [endless]);
    const begun = await begin(gateway.url, '1');
    // what the system's own buffers take is taken; then it stands still
    let before = -1;
    await vi.waitFor(() => {
      const moved = wrote !== before;
      before = wrote;
      expect(moved).toBe(false);
    }, { timeout: 20_000, interval: 300 });
    expect(wrote).toBeGreaterThan(100_000);
    expect(wrote).toBeLessThan(60_000_000);
    expect(isLeft).toBe(false);
    begun.sent.destroy();
    await vi.waitFor(() => expect(isLeft).toBe(true), PATIENCE);
    await vi.waitFor(async () => expect(await streams(gateway)).toEqual({ gone: 1 }), PATIENCE);
    expect(await attempts(gateway)).toEqual({ cancelled: 1 });
    await untilQuiet(gateway);
  }, 40_000);

  test('an answer over server.maxStreamBytes is refused where it is announced, and cut where it is not', async () => {
    let chunked = false;
    const { gateway } = await world(engine, [({ id }) => body(`{"id":${id},"result":${LARGE}}`, { chunked })], { maxStreamBytes: '500KiB', maxResponseBytes: '400KiB' });
    const heard = await tell(gateway.url, '1');
    expect(JSON.parse(heard.body.toString())).toMatchObject({ error: { code: -32005, message: 'the answer is too large' } });
    chunked = true;
    expect((await tell(gateway.url, '1')).whole).toBe(false);
    expect(await streams(gateway)).toEqual({ too_large: 1 });
    expect(await attempts(gateway)).toEqual({ tooLarge: 2 });
  });

  test('an answer that stands still is cut off', async () => {
    const { gateway } = await world(engine, [({ id }) => ({ by: (response) => void response.writeHead(200).write(`{"id":${id},"result":"${'z'.repeat(200_000)}`) })], { bodyTimeoutMs: 300 });
    expect((await tell(gateway.url, '1')).whole).toBe(false);
    expect(await streams(gateway)).toEqual({ stalled: 1 });
    expect(await attempts(gateway)).toEqual({ timeout: 1 });
    await untilQuiet(gateway);
  });

  test('a batch gets its entries whole, and equal calls share one answer', async () => {
    const { gateway, nodes } = await world(engine, [({ id }) => body(`{"id":${id},"result":${LARGE}}`)]);
    const call = (id: number): object => ({ jsonrpc: '2.0', id, method: 'debug_traceTransaction', params: [`0x${'1'.repeat(64)}`] });
    const batch = await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify([call(1), call(2)]) });
    expect((await batch.text()) === `[${[1, 2].map((id) => `{"jsonrpc":"2.0","id":${id},"result":${LARGE}}`).join()}]`).toBe(true);
    expect(await streams(gateway)).toEqual({});
    expect(nodes[0]?.calls.length).toBeGreaterThan(0);
  });

  test('calls under way are counted until their answer is through', async () => {
    let finish = (): void => undefined;
    const { gateway } = await world(engine, [({ id }) => ({
      by: (response) => {
        response.writeHead(200).write(`{"id":${id},"result":"${'z'.repeat(200_000)}`);
        finish = () => void response.end('"}');
      },
    })], { maxInFlight: 1 });
    const begun = await begin(gateway.url, '1');
    expect((await tell(gateway.url, '2')).body.toString()).toContain('-32005');
    finish();
    expect((await hear(begun)).whole).toBe(true);
    await untilQuiet(gateway);
  });
});
