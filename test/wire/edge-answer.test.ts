import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { edgeBench, ENGINES, JSON_HEADERS } from '../help/edge.ts';
import { post, RawClient } from '../help/raw.ts';

const LARGE = JSON.stringify(Array.from({ length: 4000 }, (_, i) => ({ number: i })));

describe.each(ENGINES)('answers on %s', (engine) => {
  const { open } = edgeBench(engine);

  it('writes status, headers, length and body as told', async () => {
    const { edge, client } = await open();
    edge.handler.reply = () => ({ status: 503, headers: [...JSON_HEADERS, 'x-tidegate-cache', 'miss'], body: 'äöü' });
    client.write(post('hi'));
    const response = await client.response();
    expect(response?.status).toBe(503);
    expect(response?.headers).toMatchObject({ 'content-type': 'application/json', 'x-tidegate-cache': 'miss', 'content-length': '6' });
    expect(response?.headers).toHaveProperty('date');
    expect(Object.keys(response?.headers ?? {})).not.toContain('uwebsockets');
    expect(response?.body.toString()).toBe('äöü');
  });

  it('writes bytes as they are', async () => {
    const { edge, client } = await open();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    edge.handler.reply = () => ({ status: 200, headers: [], body: bytes });
    client.write(post('hi'));
    expect((await client.response())?.body).toEqual(bytes);
  });

  it('writes 204 without body and length, and keeps the connection', async () => {
    const { edge, client } = await open();
    edge.handler.reply = () => ({ status: 204, headers: [], body: '' });
    client.write(post('one'));
    const response = await client.response();
    expect([response?.status, response?.headers['content-length']]).toEqual([204, undefined]);
    client.write(post('two'));
    expect((await client.response())?.status).toBe(204);
    expect(client.leftover).toBe('');
  });

  it('tells the peer of a request until it is answered', async () => {
    const { edge, client } = await open();
    edge.handler.reply = () => null;
    client.write(post('hi'));
    const seen = await (await edge.handler.request(0)).whole;
    expect([seen.remoteAddress, seen.exchange?.remoteAddress()]).toEqual(['127.0.0.1', '127.0.0.1']);
    seen.exchange?.answer({ status: 200, headers: [], body: 'bye' });
    expect(seen.exchange?.remoteAddress()).toBe('');
    expect((await client.response())?.body.toString()).toBe('bye');
  });

  it('answers later, and once', async () => {
    const { edge, client } = await open();
    edge.handler.reply = () => null;
    client.write(post('hi'));
    const seen = await (await edge.handler.request(0)).whole;
    expect(seen.exchange?.gone).toBe(false);
    seen.exchange?.answer({ status: 200, headers: [], body: 'first' });
    seen.exchange?.answer({ status: 500, headers: [], body: 'second' });
    expect((await client.response())?.body.toString()).toBe('first');
    edge.handler.reply = () => ({ status: 200, headers: [], body: 'next' });
    client.write(post('hi'));
    expect((await client.response())?.body.toString()).toBe('next');
    expect(edge.handler.seen.map(({ goneCount }) => goneCount)).toEqual([0, 0]);
  });

  it('lets the handler refuse at the head and keeps the connection', async () => {
    const { edge, client } = await open();
    edge.handler.onHead = (head) => (head.path === '/none' ? { status: 404, headers: JSON_HEADERS, body: '{}' } : null);
    client.write(post('hi', [], '/none'));
    const response = await client.response();
    expect([response?.status, response?.headers['connection'] === 'close']).toEqual([404, false]);
    client.write(post('hi', [], '/some'));
    expect((await client.response())?.status).toBe(200);
    expect(edge.handler.bodies).toEqual(['hi']);
  });

  it('does not take the body of a request refused at the head for the next one', async () => {
    const { edge, client } = await open();
    edge.handler.onHead = (head) => (head.path === '/none' ? { status: 404, headers: [], body: '' } : null);
    client.write(post(post('inner'), [], '/none'));
    expect((await client.response())?.status).toBe(404);
    client.write(post('outer'));
    expect((await client.response())?.body.toString()).toBe('"outer"');
    expect(edge.handler.bodies).toEqual(['outer']);
  });

  it('closes after refusing a head whose body is still to come', async () => {
    const { edge, client } = await open();
    edge.handler.onHead = () => ({ status: 404, headers: [], body: '' });
    client.write('POST / HTTP/1.1\r\nHost: edge\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
    let response = await client.response();
    if (response?.status === 100) response = await client.response();
    expect([response?.status, response?.headers['connection']]).toEqual([404, 'close']);
    await client.closed;
  });

  it('gives the handler path, query, headers and the peer', async () => {
    const { edge, client } = await open();
    const values: string[] = [];
    edge.handler.onHead = (head) => {
      values.push(head.header('x-key'), head.header('x-none'), head.header('authorization'));
      return null;
    };
    client.write(post('hi', ['X-Key: first', 'x-key: second', 'AUTHORIZATION: Bearer a'], '/evm/1?key=a&b'));
    await client.response();
    expect(values).toEqual(['first', '', 'Bearer a']);
    expect(edge.handler.seen[0]).toMatchObject({ method: 'POST', path: '/evm/1', query: 'key=a&b', remoteAddress: '127.0.0.1' });
  });

  it.each(['onHead', 'reply'] as const)('answers 500 when the handler throws in %s', async (where) => {
    const { edge, client } = await open();
    edge.handler[where] = () => {
      throw new Error('a bug');
    };
    client.write(post('hi'));
    const response = await client.response();
    expect(response?.status).toBe(500);
    expect(JSON.parse(response?.body.toString() ?? '').error.code).toBe(-32603);
    expect(response?.body.toString()).not.toContain('a bug');
    expect(edge.logged).toHaveLength(1);
  });

  it.each([
    ['gzip', true], ['x-gzip', true], ['GZIP;q=0.5', true], ['deflate, gzip', true], ['*', true], ['br, *;q=0.1', true],
    ['', false], ['gzip;q=0', false], ['gzip; q=0.000', false], ['identity', false], ['*;q=0', false], ['*, gzip;q=0', false], ['gzipx', false],
  ])('for Accept-Encoding "%s" compresses a large answer: %s', async (value, packed) => {
    const { edge, client } = await open();
    edge.handler.reply = () => ({ status: 200, headers: JSON_HEADERS, body: LARGE });
    client.write(post('hi', value === '' ? [] : [`Accept-Encoding: ${value}`]));
    const response = await client.response();
    expect(response?.headers['content-encoding']).toBe(packed ? 'gzip' : undefined);
    expect(response?.headers['vary']).toBe('accept-encoding');
    const body = response?.body ?? Buffer.alloc(0);
    expect((packed ? gunzipSync(body) : body).toString()).toBe(LARGE);
    if (packed) expect(body.length).toBeLessThan(LARGE.length / 3);
  });

  it.each([[10, ''], [5000, ''], [40_000, ''], [40_000, 'gzip'], [2_000_000, ''], [2_000_000, 'gzip']])('sends a body in two parts as one, the second of %i bytes, encoding "%s"', async (size, encoding) => {
    const { edge, client } = await open();
    const rest = Buffer.from(Array.from({ length: size }, (_, i) => 0x20 + (i % 90)));
    edge.handler.reply = ({ body }) => ({ status: 200, headers: JSON_HEADERS, body: Buffer.from(`é of ${body?.toString()}`), rest });
    for (const text of ['one', 'two', 'three']) {
      client.write(post(text, encoding === '' ? ['Origin: http://a'] : [`Accept-Encoding: ${encoding}`]));
      const response = await client.response();
      const { body = Buffer.alloc(0), headers = {} } = response ?? {};
      expect([headers['content-encoding'], headers['content-length'], headers['access-control-allow-origin']]).toEqual([encoding === '' ? undefined : 'gzip', String(body.length), encoding === '' ? '*' : undefined]);
      const plain = encoding === '' ? body : gunzipSync(body);
      expect(plain.equals(Buffer.concat([Buffer.from(`é of ${text}`), rest]))).toBe(true);
    }
    client.write(post('last', ['Connection: close']));
    expect((await client.response())?.body.equals(Buffer.concat([Buffer.from('é of last'), rest]))).toBe(true);
    await client.closed;
  });

  it('leaves small answers plain, and all of them with gzipAboveBytes 0', async () => {
    const { edge, client } = await open({ gzipAboveBytes: 0 });
    edge.handler.reply = () => ({ status: 200, headers: [], body: LARGE });
    client.write(post('hi', ['Accept-Encoding: gzip']));
    const response = await client.response();
    expect([response?.headers['content-encoding'], response?.headers['vary']]).toEqual([undefined, undefined]);
    await edge.server.drain(0);
    const other = await open();
    other.client.write(post('hi', ['Accept-Encoding: gzip']));
    expect((await other.client.response())?.headers['content-encoding']).toBeUndefined();
  });

  it('compresses for many at once and answers each with its own', async () => {
    const { edge } = await open({ maxBodyBytes: 1 << 20 });
    edge.handler.reply = (seen) => ({ status: 200, headers: [], body: `${seen.body?.toString()}${LARGE}` });
    const texts = Array.from({ length: 24 }, (_, i) => `client ${i} `);
    const answers = await Promise.all(texts.map(async (text) => {
      const client = await RawClient.open(edge.server.port);
      client.write(post(text, ['Accept-Encoding: gzip', 'Connection: close']));
      const response = await client.response();
      const body = response?.body ?? Buffer.alloc(0);
      return (response?.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
    }));
    expect(answers).toEqual(texts.map((text) => `${text}${LARGE}`));
  });

  it.each([0, 1, 100])('sends a large answer to readers that stop and go on, without a copy for each, %i bytes of it by themselves', async (firstBytes) => {
    const { edge } = await open({ gzipAboveBytes: 0 });
    const body = Buffer.alloc(10 * 1024 * 1024, 'x');
    body.write('end', body.length - 3);
    const parts = firstBytes === 0 ? { body } : { body: body.subarray(0, firstBytes), rest: body.subarray(firstBytes) };
    edge.handler.reply = () => ({ status: 200, headers: [], ...parts });
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(edge.server.port)));
    const before = process.memoryUsage();
    for (const client of clients) {
      client.socket.pause();
      client.write(post('hi'));
    }
    await edge.handler.request(clients.length - 1).then(({ whole }) => whole);
    const after = process.memoryUsage();
    // Twenty copies would be 200 MB less what the sockets hold.
    expect(after.rss - before.rss).toBeLessThan(60 * 1024 * 1024);
    for (const client of clients) {
      client.socket.resume();
      const response = await client.response();
      expect(response?.body.length).toBe(body.length);
      expect(response?.body.subarray(-3).toString()).toBe('end');
      client.leave();
    }
  });
});
