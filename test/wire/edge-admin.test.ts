import { afterEach, describe, expect, it } from 'vitest';
import { AdminServer } from '../../src/edge/admin.ts';
import type { AdminOptions } from '../../src/edge/admin.ts';
import { jsonReply, textReply } from '../../src/edge/adminRoute.ts';
import type { AdminRoute } from '../../src/edge/adminRoute.ts';
import { RawClient } from '../help/raw.ts';

const ROUTES: readonly AdminRoute[] = [
  { method: 'GET', path: '/livez', handler: () => textReply('ok\n') },
  { method: 'GET', path: '/', handler: () => textReply('<p>', 200, 'text/html') },
  { method: 'GET', path: '/api/v1/nodes/:name', handler: ({ params, query, header }) => jsonReply({ params, deep: query.get('deep'), key: header('x-key') }) },
  { method: 'POST', path: '/api/v1/nodes/:name', handler: ({ body }) => jsonReply({ got: body.toString() }, 202) },
  { method: 'DELETE', path: '/api/v1/nodes/:name', handler: async () => { throw new Error('a secret'); } },
];

describe('the admin server', () => {
  let server: AdminServer | null = null;
  const logged: string[] = [];
  const log = { info: () => {}, error: (_: object, text: string) => logged.push(text) };
  afterEach(() => server?.close(0));
  const open = async (options: Partial<AdminOptions> = {}): Promise<(path: string, init?: RequestInit) => Promise<Response>> => {
    server = new AdminServer({ host: '127.0.0.1', port: 0, ...options }, ROUTES, log);
    await server.listen();
    const { port } = server;
    return (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init);
  };

  it('serves text and HEAD', async () => {
    const ask = await open();
    const reply = await ask('/livez');
    expect([reply.status, await reply.text(), reply.headers.get('content-type')]).toEqual([200, 'ok\n', 'text/plain; charset=utf-8']);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const head = await ask('/livez', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '3', '']);
    expect((await ask('/')).headers.get('content-type')).toBe('text/html');
  });

  it('serves JSON with params, query and headers decoded', async () => {
    const ask = await open();
    const reply = await ask('/api/v1/nodes/a%20b%2Fc?deep=1%202', { headers: { 'X-Key': 'k' } });
    expect(await reply.json()).toEqual({ params: { name: 'a b/c' }, deep: '1 2', key: 'k' });
  });

  it('takes bodies up to its limit', async () => {
    const ask = await open({ maxBodyBytes: 100 });
    const reply = await ask('/api/v1/nodes/a', { method: 'POST', body: 'x'.repeat(100) });
    expect([reply.status, await reply.json()]).toEqual([202, { got: 'x'.repeat(100) }]);
    expect((await ask('/api/v1/nodes/a', { method: 'POST', body: 'x'.repeat(101) })).status).toBe(413);
    const chunks = new ReadableStream({ start: (controller) => { controller.enqueue(Buffer.alloc(101)); controller.close(); } });
    expect((await ask('/api/v1/nodes/a', { method: 'POST', body: chunks, duplex: 'half' } as RequestInit)).status).toBe(413);
  });

  it('refuses what it does not have', async () => {
    const ask = await open();
    const unknown = await ask('/api/v1/none');
    expect([unknown.status, await unknown.json()]).toEqual([404, { error: 'no such path' }]);
    expect((await ask('/livez/')).status).toBe(404);
    expect((await ask('/api/v1/nodes/')).status).toBe(404);
    expect((await ask('/%zz')).status).toBe(400);
    const method = await ask('/api/v1/nodes/a', { method: 'PUT' });
    expect([method.status, method.headers.get('allow')]).toEqual([405, 'DELETE, GET, HEAD, POST']);
  });

  it('answers 500 without the reason when a handler fails, and logs it', async () => {
    const ask = await open();
    const reply = await ask('/api/v1/nodes/a', { method: 'DELETE' });
    expect(reply.status).toBe(500);
    expect(await reply.text()).not.toContain('secret');
    expect(logged).toEqual(['an admin request failed']);
  });

  it('serves HTTP/1.0 without a Host', async () => {
    await open();
    const client = await RawClient.open(server?.port ?? 0);
    client.write('GET /livez HTTP/1.0\r\n\r\n');
    const response = await client.response();
    expect([response?.status, response?.body.toString()]).toEqual([200, 'ok\n']);
    await client.closed;
  });

  it.each([
    ['evil.example', undefined, '127.0.0.1', 421], ['evil.example:80', undefined, '127.0.0.1', 421], ['localhost:9545', undefined, '127.0.0.1', 200],
    ['LOCALHOST', undefined, '127.0.0.1', 200], ['10.0.0.1:9545', undefined, '127.0.0.1', 200], ['[::1]:9545', undefined, '127.0.0.1', 200],
    ['gate.example', ['gate.example'], '127.0.0.1', 200], ['evil.example', ['gate.example'], '0.0.0.0', 421],
    ['any.example', undefined, '0.0.0.0', 200], ['any.example', null, '127.0.0.1', 200],
  ] as const)('for the Host %s with names %s on %s answers %s', async (host, hostNames, bound, status) => {
    await open({ host: bound, ...(hostNames === undefined ? {} : { hostNames }) });
    const client = await RawClient.open(server?.port ?? 0);
    client.write(`GET /livez HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect((await client.response())?.status).toBe(status);
  });

  it('names the address that it cannot bind', async () => {
    await open();
    const second = new AdminServer({ host: '127.0.0.1', port: server?.port ?? 0 }, ROUTES, log);
    await expect(second.listen()).rejects.toThrow(`cannot listen on 127.0.0.1:${server?.port}: the port is in use`);
    await expect(second.listen()).rejects.toThrow('set admin.port to another');
  });

  it('closes idle connections at once', async () => {
    await open();
    const client = await RawClient.open(server?.port ?? 0);
    client.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await client.response();
    await server?.close(60_000);
    await client.closed;
  });
});
