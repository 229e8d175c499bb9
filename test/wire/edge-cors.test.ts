import { describe, expect, it } from 'vitest';
import { edgeBench, ENGINES } from '../help/edge.ts';
import { post, } from '../help/raw.ts';

const PREFLIGHT = (origin: string, headers: readonly string[] = []): string =>
  `OPTIONS / HTTP/1.1\r\nHost: edge\r\nOrigin: ${origin}\r\nAccess-Control-Request-Method: POST\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;

describe.each(ENGINES)('cross-origin calls on %s', (engine) => {
  const bench = edgeBench(engine);
  const open = (...origins: string[]) => bench.open({ cors: { origins, maxAgeS: 77 } });

  it('answers a preflight for any origin', async () => {
    const { edge, client } = await open('*');
    client.write(PREFLIGHT('https://app.example', ['Access-Control-Request-Headers: content-type, x-api-key']));
    const response = await client.response();
    expect(response?.status).toBe(204);
    expect(response?.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type, x-api-key',
      'access-control-max-age': '77',
    });
    expect(edge.handler.seen).toHaveLength(0);
  });

  it('does not echo what is no list of header names', async () => {
    const { client } = await open('*');
    client.write(PREFLIGHT('https://app.example', ['Access-Control-Request-Headers: a"b']));
    expect((await client.response())?.headers['access-control-allow-headers']).toBe('content-type');
  });

  it('lets pages read answers and refusals, with the headers of the gateway', async () => {
    const { client } = await open('*');
    client.write(post('hi', ['Origin: https://app.example']));
    const response = await client.response();
    expect(response?.headers['access-control-allow-origin']).toBe('*');
    expect(response?.headers['access-control-expose-headers']).toBe('x-tidegate-upstream, x-tidegate-cache, x-tidegate-block, x-tidegate-explain, retry-after');
    expect(response?.headers['vary']).toBeUndefined();
    client.write(post('hi', ['Origin: https://app.example', 'Content-Type: text/plain']));
    const refusal = await client.response();
    expect([refusal?.status, refusal?.headers['access-control-allow-origin']]).toEqual([415, '*']);
  });

  it('adds nothing for a client that is no page', async () => {
    const { client } = await open('https://app.example');
    client.write(post('hi'));
    const names = Object.keys((await client.response())?.headers ?? {});
    expect(names.filter((name) => name.startsWith('access-control') || name === 'vary')).toEqual([]);
  });

  it('names the origin from a list and varies by it', async () => {
    const { client } = await open('https://app.example', 'https://b.example');
    client.write(post('hi', ['Origin: https://b.example']));
    const response = await client.response();
    expect(response?.headers).toMatchObject({ 'access-control-allow-origin': 'https://b.example', vary: 'origin' });
    client.write(PREFLIGHT('https://app.example'));
    expect((await client.response())?.headers['access-control-allow-origin']).toBe('https://app.example');
  });

  it.each(['https://evil.example', 'null', 'https://app.example.evil', 'HTTPS://APP.EXAMPLE'])('refuses the origin %s', async (origin) => {
    const { edge, client } = await open('https://app.example');
    client.write(post('hi', [`Origin: ${origin}`, 'Content-Type: application/json']));
    const response = await client.response();
    expect(response?.status).toBe(403);
    expect(response?.headers['access-control-allow-origin']).toBeUndefined();
    expect(edge.handler.seen).toHaveLength(0);
  });

  it('answers OPTIONS outside of CORS with what is allowed', async () => {
    const { client } = await open('*');
    client.write('OPTIONS / HTTP/1.1\r\nHost: edge\r\n\r\n');
    const response = await client.response();
    expect([response?.status, response?.headers['allow']]).toEqual([204, 'POST, OPTIONS']);
    expect(response?.headers['access-control-allow-methods']).toBeUndefined();
  });
});
