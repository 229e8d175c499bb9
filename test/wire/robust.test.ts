import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../help/edge.ts';
import { IdleClients } from '../help/idleClients.ts';
import { CALL, expectServes, gauges, memoryGauge, portOf, pour, trickle, untilQuiet } from '../help/edgePressure.ts';
import { testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { RawClient, post } from '../help/raw.ts';
import type { RawResponse } from '../help/raw.ts';
import { ScriptNode } from '../help/scriptNode.ts';

const HEAD = 'POST / HTTP/1.1\r\nHost: edge\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
const MIB = 1024 * 1024;
/** Held by a process of their own: one process may not have as many files as both ends are. */
const IDLE_CONNECTIONS = 10_000;
const IDLE_MIB = 200;

const pieces = (text: string): string[] => Array.from({ length: Math.ceil(text.length / 4096) }, (_, k) => text.slice(k * 4096, (k + 1) * 4096));

const errorOf = (response: RawResponse | null): { status: number | undefined; code: unknown } => ({
  status: response?.status,
  code: response === null ? null : JSON.parse(response.body.toString() || '{}').error?.code,
});

describe.each(ENGINES)('clients that mean harm, engine %s', (engine) => {
  let node: ScriptNode;
  let gateway: TestGateway;
  const open = (): Promise<RawClient> => RawClient.open(portOf(gateway));
  const many = (count: number): Promise<RawClient[]> => Promise.all(Array.from({ length: count }, open));
  const others = () => node.calls.filter(({ params }) => !JSON.stringify(params).startsWith('["0xaa",'));
  const start = async (bodyTimeoutMs: number): Promise<void> => {
    gateway = await testGateway([{ name: 'one', httpUrl: node.httpUrl }], {
      engine,
      server: { bodyTimeoutMs, maxConnections: 20_000 },
      chain: { chainId: 1, routing: { hedge: { enabled: false } } },
    });
    await gateway.until(({ one }) => one?.state === 'serving');
  };

  beforeAll(async () => {
    node = await ScriptNode.start(() => ({ result: '"0x1"' }));
  });
  afterEach(async () => {
    await untilQuiet(gateway);
    node.calls.length = 0;
  });
  afterAll(() => node?.close());

  describe('slow senders', () => {
    beforeAll(() => start(400));
    afterAll(() => gateway.close());

    it('ends 100 headers that trickle in, serving others', async () => {
      const slow = await many(100);
      for (const client of slow) {
        client.write(HEAD);
        trickle(client, `X-Slow: ${'a'.repeat(10_000)}`, 50);
      }
      await expectServes(gateway);
      expect((await gauges(gateway)).connections).toBeGreaterThanOrEqual(100);
      // The uws library ends them without a word, after its own 10 to 12 s.
      const expected = engine === 'node' ? [408] : [];
      for (const client of slow) expect((await client.responses()).map(({ status }) => status)).toEqual(expected);
    });

    it('ends 100 request lines that trickle in, serving others', async () => {
      const slow = await many(100);
      for (const client of slow) trickle(client, `POST /${'a'.repeat(10_000)}`, 20);
      await expectServes(gateway);
      const expected = engine === 'node' ? [408] : [505];
      for (const client of slow) expect((await client.responses()).map(({ status }) => status)).toEqual(expected);
    });

    it('refuses 100 bodies that trickle in, serving others', async () => {
      const slow = await many(100);
      for (const [k, client] of slow.entries()) {
        client.write(k % 2 === 0 ? `${HEAD}Content-Length: 10000\r\n\r\n` : CHUNKED);
        trickle(client, (k % 2 === 0 ? 'x' : '1\r\nx\r\n').repeat(10_000), 5);
      }
      await expectServes(gateway);
      for (const client of slow) expect(errorOf(await client.response())).toEqual({ status: 408, code: -32000 });
      await Promise.all(slow.map(({ closed }) => closed));
      expect(others()).toEqual([]);
    });
  });

  describe('large and many', () => {
    beforeAll(() => start(10_000));
    afterAll(() => gateway.close());

    it(`holds ${IDLE_CONNECTIONS} idle connections in ${IDLE_MIB} MiB, serving others`, async () => {
      await expectServes(gateway);
      const grownMib = memoryGauge();
      const idle = await IdleClients.open(portOf(gateway), IDLE_CONNECTIONS);
      await expectServes(gateway);
      expect((await gauges(gateway)).connections).toBeGreaterThanOrEqual(IDLE_CONNECTIONS);
      const mib = grownMib();
      console.info(`${engine}: ${IDLE_CONNECTIONS} idle connections take ${mib} MiB, ${((mib * 1024) / IDLE_CONNECTIONS).toFixed(1)} KiB each`);
      expect(mib).toBeLessThan(IDLE_MIB);
      await idle.leave();
    });

    it('refuses 20 bodies of 100 MB by their length, in 100 MiB', async () => {
      const grownMib = memoryGauge();
      const clients = await many(20);
      const piece = Buffer.alloc(64 * 1024, 'x');
      const poured = clients.map((client) => {
        client.write(`${HEAD}Content-Length: 100000000\r\n\r\n`);
        return pour(client, Array(1526).fill(piece));
      });
      await expectServes(gateway);
      for (const client of clients) expect(errorOf(await client.response())).toEqual({ status: 413, code: -32005 });
      await Promise.all(clients.map(({ closed }) => closed));
      for (const wroteBytes of await Promise.all(poured)) expect(wroteBytes).toBeLessThan(16 * MIB);
      expect(grownMib()).toBeLessThan(100);
      expect(others()).toEqual([]);
    });

    it('cuts 10 chunked bodies of 100 MB off at the limit, in 300 MiB', async () => {
      const grownMib = memoryGauge();
      const clients = await many(10);
      const piece = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(64 * 1024, 'x'), Buffer.from('\r\n')]);
      const poured = clients.map((client) => {
        client.write(CHUNKED);
        return pour(client, Array(1526).fill(piece));
      });
      await expectServes(gateway);
      for (const client of clients) {
        const refusal = errorOf(await client.response());
        // Who writes on into a closed connection may find the answer reset away; who stops to read has it.
        if (refusal.status !== undefined) expect(refusal).toEqual({ status: 413, code: -32005 });
      }
      await Promise.all(clients.map(({ closed }) => closed));
      for (const wroteBytes of await Promise.all(poured)) expect(wroteBytes).toBeLessThan(48 * MIB);
      expect(grownMib()).toBeLessThan(300);
      expect(others()).toEqual([]);
    });

    it.each([
      ['numbers', '1'],
      ['calls', '{"jsonrpc":"2.0","id":1,"method":"a"}'],
      ['empty lists', '[]'],
    ])('refuses a batch of 100,000 %s', async (_name, entry) => {
      const client = await open();
      client.write(post(`[${`${entry},`.repeat(99_999)}${entry}]`));
      expect(errorOf(await client.response())).toEqual({ status: 413, code: -32005 });
      await expectServes(gateway);
      client.leave();
      expect(others()).toEqual([]);
    });

    it.each([
      ['line', `X-Long: ${'a'.repeat(MIB)}\r\n`],
      ['of many lines', 'X-Long: aaaaaaa\r\n'.repeat(60_000)],
    ])('refuses a header of 1 MB (%s)', async (_name, lines) => {
      const clients = await many(10);
      await Promise.all(clients.map((client) => pour(client, pieces(`${HEAD}${lines}\r\n`))));
      await expectServes(gateway);
      for (const client of clients) expect((await client.responses()).map(({ status }) => status)).toEqual([431]);
    });

    it('answers a part of 1,000 pipelined requests in order, and ends the connection', async () => {
      const clients = await many(3);
      for (const client of clients) {
        client.write(Array.from({ length: 1000 }, (_, k) => post(`{"jsonrpc":"2.0","id":${k},"method":"eth_call","params":[${k}]}`)).join(''));
      }
      await expectServes(gateway);
      for (const client of clients) {
        const responses = await client.responses();
        const served = responses.filter(({ status }) => status === 200);
        expect(served.map(({ body }) => JSON.parse(body.toString()).id)).toEqual(served.map((_, k) => k));
        const refused = responses.slice(served.length);
        expect(refused.map(({ status }) => status)).toEqual(engine === 'node' ? [503] : []);
      }
      expect(others().length).toBeLessThanOrEqual(3 * 64);
    });

    it('answers or closes 200 half-closed connections', async () => {
      const whole = await many(100);
      const partial = await many(100);
      for (const client of whole) client.end(post(CALL));
      for (const client of partial) client.end(post('{"jsonrpc":"2.0","id":2,"method":"eth_call","params":["half"]}').slice(0, -1));
      await expectServes(gateway);
      for (const client of whole) {
        const statuses = (await client.responses()).map(({ status }) => status);
        // The end of the sending side counts as the client's leaving.
        expect([[200], []]).toContainEqual(statuses);
      }
      await Promise.all(partial.map(({ closed }) => closed));
      expect(others()).toEqual([]);
    });

    it('gives up the calls of 1,000 clients that leave, and serves on', async () => {
      node.say = () => 'hang';
      const clients = await many(1000);
      for (const client of clients) client.write(post(CALL));
      await expect.poll(async () => (await gauges(gateway)).inFlight, { timeout: 10_000 }).toBeGreaterThan(200);
      for (const [k, client] of clients.entries()) {
        if (k % 2 === 0) client.socket.resetAndDestroy();
        else client.leave();
      }
      await untilQuiet(gateway);
      node.say = () => ({ result: '"0x1"' });
      await expectServes(gateway);
    });

    it('survives clients that leave in the middle of anything', async () => {
      const text = `${HEAD}X: y\r\nContent-Length: ${CALL.length}\r\n\r\n${CALL}`;
      for (let from = 0; from < text.length; from += 40) {
        const clients = await many(40);
        for (const [k, client] of clients.entries()) {
          client.socket.write(text.slice(0, from + k), () => (k % 2 === 0 ? client.socket.resetAndDestroy() : client.leave()));
        }
        await Promise.all(clients.map(({ closed }) => closed));
      }
      await expectServes(gateway);
    });
  });
});
