import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Explanation } from '../../src/route/explanation.ts';
import type { UpstreamStatus } from '../../src/gateway/status.ts';
import { testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { ScriptNode } from '../help/scriptNode.ts';

const CORDON = '/api/v1/upstreams/test/one/cordon';
const folder = mkdtempSync(join(tmpdir(), 'tidegate-admin-'));
const tokenFile = join(folder, 'deep', 'admin.token');
const closers: (() => Promise<void>)[] = [];
let one: ScriptNode;
let two: ScriptNode;
let gateway: TestGateway;
let token: string;

const JSON_TYPE = { 'content-type': 'application/json' };

/** A POST with any headers at all, `Host` and `Origin` included. */
const post = (path: string, headers: Record<string, string>, body = '', url = gateway.adminUrl): Promise<{ status: number; json: Record<string, unknown>; headers: unknown }> =>
  new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method: 'POST', headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, json: JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>, headers: response.headers }));
    });
    sent.on('error', reject);
    sent.end(body);
  });

const operate = (path: string, body?: unknown) => post(path, { ...JSON_TYPE, authorization: `Bearer ${token}` }, body === undefined ? '' : JSON.stringify(body));

const explain = async (query: Record<string, string>): Promise<Explanation> =>
  (await (await fetch(`${gateway.adminUrl}/api/v1/explain?${new URLSearchParams(query)}`)).json()) as Explanation;

const nodes = () => [{ name: 'one', httpUrl: one.httpUrl }, { name: 'two', httpUrl: two.httpUrl }];
const allServe = (upstreams: Readonly<Record<string, UpstreamStatus>>): boolean => Object.values(upstreams).every(({ state }) => state === 'serving');

beforeAll(async () => {
  one = await ScriptNode.start(() => ({ result: '"0x1"' }));
  two = await ScriptNode.start(() => ({ result: '"0x1"' }));
  gateway = await testGateway(nodes(), { tokenFile, chain: { chainId: 1, health: { ramp: { durationMs: 0 }, probation: { samples: 1 } } } });
  closers.push(() => gateway.close(), () => one.close(), () => two.close());
  token = readFileSync(tokenFile, 'utf8').trim();
  await gateway.until(allServe);
});
afterAll(async () => {
  for (const close of closers) await close();
  rmSync(folder, { recursive: true });
});

describe('who may change something', () => {
  afterEach(async () => {
    const { one: node } = await gateway.upstreams();
    expect(node?.state).toBe('serving');
  });

  test('the token is in a file for its owner only', () => {
    expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700);
    expect(token).toMatch(/^[\w-]{43}$/);
  });

  test.each([
    ['no token', () => ({}), 401],
    ['a wrong token', () => ({ authorization: `Bearer ${'x'.repeat(43)}` }), 401],
    ['a part of the token', () => ({ authorization: `Bearer ${token.slice(0, -1)}` }), 401],
    ['an empty token', () => ({ authorization: 'Bearer ' }), 401],
    ['the token in another scheme', () => ({ authorization: `Basic ${token}` }), 401],
    ['a form', () => ({ authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' }), 415],
    ['plain text, which needs no preflight', () => ({ authorization: `Bearer ${token}`, 'content-type': 'text/plain;x=application/json' }), 415],
    ['a page of another origin', () => ({ authorization: `Bearer ${token}`, origin: 'https://evil.example' }), 403],
    ['a sandboxed page', () => ({ authorization: `Bearer ${token}`, origin: 'null' }), 403],
    ['a page of another port', () => ({ authorization: `Bearer ${token}`, origin: 'http://127.0.0.1:3000' }), 403],
    ['a cross-site navigation', () => ({ authorization: `Bearer ${token}`, 'sec-fetch-site': 'cross-site' }), 403],
    ['a name that points here', () => ({ authorization: `Bearer ${token}`, host: 'rebound.example' }), 421],
  ])('refuses %s', async (_name, headers: () => Record<string, string>, status) => {
    const answer = await post(CORDON, { ...JSON_TYPE, ...headers() });
    expect([answer.status, typeof answer.json.error]).toEqual([status, 'string']);
    expect(JSON.stringify(answer.json)).not.toContain(token);
  });

  test('a cross-origin POST as a browser sends it', async () => {
    const { host } = new URL(gateway.adminUrl);
    const headers = { host, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'content-type': 'text/plain;charset=UTF-8' };
    const answer = await post(CORDON, headers, '{}');
    expect(answer.status).toBe(403);
    expect(Object.keys(answer.headers as object).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test.each([
    ['a body that is no JSON', CORDON, '{', 400],
    ['a body that is no object', CORDON, '[]', 400],
    ['a member that means nothing', CORDON, '{"force":true}', 400],
    ['no weight', '/api/v1/upstreams/test/one/weight', '{}', 400],
    ['half a weight', '/api/v1/upstreams/test/one/weight', '{"weight":1.5}', 400],
    ['a weight below 0', '/api/v1/upstreams/test/one/weight', '{"weight":-1}', 400],
    ['a weight in quotes', '/api/v1/upstreams/test/one/weight', '{"weight":"5"}', 400],
    ['an unknown chain', '/api/v1/upstreams/none/one/cordon', '', 404],
    ['an unknown upstream', '/api/v1/upstreams/test/none/cordon', '', 404],
  ])('refuses %s', async (_name, path, body, status) => {
    const answer = await post(path, { ...JSON_TYPE, authorization: `Bearer ${token}` }, body);
    expect([answer.status, typeof answer.json.error]).toEqual([status, 'string']);
  });

  test('a second gateway takes the same token, and none from a file that others can read', async () => {
    const startWith = async (file: string): Promise<TestGateway> => {
      const other = await testGateway(nodes(), { tokenFile: file, chain: { chainId: 1 } });
      closers.unshift(() => other.close());
      return other;
    };
    const cordon = (other: TestGateway) => post('/api/v1/upstreams/test/none/cordon', { ...JSON_TYPE, authorization: `Bearer ${token}` }, '', other.adminUrl);
    expect((await cordon(await startWith(tokenFile))).status).toBe(404);
    chmodSync(tokenFile, 0o644);
    expect(await cordon(await startWith(tokenFile))).toMatchObject({ status: 403, json: { error: expect.stringContaining('0600') } });
    chmodSync(tokenFile, 0o600);
    expect(await cordon(await startWith(''))).toMatchObject({ status: 403, json: { error: expect.stringContaining('admin.tokenFile is empty') } });
    expect(await cordon(await startWith(join(tokenFile, 'below')))).toMatchObject({ status: 403, json: { error: expect.stringContaining('ENOTDIR') } });
  });
});

describe('operating', () => {
  test('cordon takes a node out, uncordon lets it in again', async () => {
    expect(await operate(CORDON)).toMatchObject({ status: 200, json: { name: 'one', state: 'cordoned', weight: 0, why: 'cordoned: by an operator' } });
    expect((await gateway.upstreams()).one).toMatchObject({ state: 'cordoned' });
    one.calls.length = 0;
    for (let i = 0; i < 8; i++) {
      const body = `{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x${String(i).repeat(40)}","latest"]}`;
      expect((await fetch(gateway.url, { method: 'POST', headers: JSON_TYPE, body })).headers.get('x-tidegate-upstream')).toBe('two');
    }
    expect(one.calls).toEqual([]);
    expect(await operate('/api/v1/upstreams/test/one/uncordon', {})).toMatchObject({ status: 200, json: { state: 'probation', why: 'probation: by an operator' } });
    await gateway.until(allServe);
  });

  test('a weight counts from the answer on', async () => {
    expect(await operate('/api/v1/upstreams/test/two/weight', { weight: 7 })).toMatchObject({ status: 200, json: { name: 'two', weight: 7 } });
    expect((await gateway.upstreams()).two?.weight).toBe(7);
    expect((await operate('/api/v1/upstreams/test/two/weight', { weight: 100 })).json).toMatchObject({ weight: 100 });
  });
});

describe('explain', () => {
  const params = '["0x00000000000000000000000000000000000000aa","latest"]';

  test('tells the order in which a call would be tried, and sends nothing', async () => {
    one.calls.length = 0;
    two.calls.length = 0;
    const told = await explain({ method: 'eth_getBalance', params });
    expect(told).toMatchObject({ chain: 'test', refusal: null, facts: { listed: true, class: 'read', retryable: true, hedgeable: true, affinity: 'request' }, excluded: [] });
    expect(told.candidates.map(({ reasons, weight, score }) => [reasons, weight, score])).toEqual([[[], 100, 1], [[], 100, 1]]);
    expect(told.onFailure).toMatchObject({ maxAttempts: 4, words: `goes to ${told.candidates[1]?.name} next` });
    expect(told.onFailure?.hedgeAfterMs).toBe(told.candidates[0]?.hedgeDelayMs);
    expect([...one.calls, ...two.calls]).toEqual([]);
    const body = `{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":${params}}`;
    const answer = await fetch(gateway.url, { method: 'POST', headers: JSON_TYPE, body });
    expect(answer.headers.get('x-tidegate-upstream')).toBe(told.candidates[0]?.name);
  });

  test('says why a node is left out, with its numbers', async () => {
    await operate(CORDON);
    const told = await explain({ chain: 'test', method: 'eth_getBlockByNumber', params: '["0x3e8",false]' });
    expect(told.requiredBlock).toBe(1000);
    expect(told.excluded).toMatchObject([{ name: 'one', state: 'cordoned', distance: null, reasons: [{ reason: 'state', words: 'cordoned: by an operator' }, { reason: 'behind' }] }]);
    expect(told.candidates).toMatchObject([{ name: 'two', reasons: [{ reason: 'behind', words: 'its head is 100, the call needs block 1000' }] }]);
    expect(told.onFailure).toMatchObject({ hedgeAfterMs: null, attemptTimeoutMs: 30_000, words: 'no other node can take it' });
    await operate('/api/v1/upstreams/test/one/uncordon');
    await gateway.until(allServe);
  });

  test('says when nobody would be asked', async () => {
    expect(await explain({ method: 'admin_peers' })).toMatchObject({ facts: null, refusal: { kind: 'methodRefused', code: -32601 }, candidates: [] });
    for (const name of ['one', 'two']) await operate(`/api/v1/upstreams/test/${name}/cordon`);
    expect(await explain({ method: 'eth_gasPrice' })).toMatchObject({ refusal: { kind: 'noUpstream' }, candidates: [], onFailure: null });
    for (const name of ['one', 'two']) await operate(`/api/v1/upstreams/test/${name}/uncordon`);
    await gateway.until(allServe);
  });

  test('of a call that must not run twice', async () => {
    const told = await explain({ method: 'eth_newBlockFilter' });
    expect(told.onFailure).toMatchObject({ hedgeAfterMs: null, words: expect.stringContaining('must not run twice') });
  });

  test.each([
    [{}, 400],
    [{ method: 'x'.repeat(257) }, 400],
    [{ method: 'eth_call', params: '{' }, 400],
    [{ method: 'eth_call', params: '1' }, 400],
    [{ method: 'eth_call', chain: 'none' }, 404],
  ])('refuses %j', async (query: Record<string, string>, status) => {
    const answer = await fetch(`${gateway.adminUrl}/api/v1/explain?${new URLSearchParams(query)}`);
    expect([answer.status, Object.keys((await answer.json()) as object)]).toEqual([status, ['error']]);
  });
});
