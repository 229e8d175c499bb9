import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configFromValue, parseConfig } from '../../src/config/parse.ts';
import type { Config } from '../../src/config/schema.ts';
import type { ReadConfig } from '../../src/config/wanted.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { ChainStatus } from '../../src/gateway/status.ts';
import type { Logger } from '../../src/observe/log.ts';
import { ScriptNode } from '../help/scriptNode.ts';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-reload-'));
const tokenFile = join(folder, 'admin.token');
const lines: string[] = [];
const note = (_fields: unknown, line: string): void => void lines.push(line);
const log: Logger = { debug: () => undefined, info: note, warn: note, error: note, child: () => log };

let a: ScriptNode;
let b: ScriptNode;
let gateway: Gateway;

const plainConfig = (more: object = {}) => ({
  server: { port: 0, engine: 'node' },
  admin: { port: 0, tokenFile },
  chains: [{ name: 'main', chainId: 1, cache: { enabled: false }, upstreams: [{ name: 'a', http: a.httpUrl, ...more }] }],
});
const configOf = (more?: object): Config => {
  const result = configFromValue(plainConfig(more));
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
};
const start = async (readConfig?: ReadConfig): Promise<void> => {
  gateway = await startGateway(configOf(), { log, version: 'test', ...(readConfig === undefined ? {} : { readConfig }) });
};

const operate = async (method: string, path: string, body: unknown = {}): Promise<{ status: number; json: Record<string, unknown> }> => {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` };
  const answer = await fetch(`http://127.0.0.1:${gateway.adminPort}/api/v1/${path}`, { method, headers, body: JSON.stringify(body) });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
};
const upstreams = async (): Promise<ChainStatus['upstreams']> =>
  ((await (await fetch(`http://127.0.0.1:${gateway.adminPort}/api/v1/upstreams`)).json()) as ChainStatus[])[0]?.upstreams ?? [];
const names = async (): Promise<string[]> => (await upstreams()).map(({ name }) => name).sort();
const serves = (name: string): Promise<void> =>
  vi.waitFor(async () => expect((await upstreams()).find((node) => node.name === name)?.weight).toBeGreaterThan(0), { timeout: 20_000 });
const ask = async (param: number): Promise<string> => {
  const body = `{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x${param.toString(16)}","latest"]}`;
  const answer = await fetch(`http://127.0.0.1:${gateway.clientPort}/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return `${answer.status} ${await answer.text()}`;
};
const GOOD = '200 {"jsonrpc":"2.0","id":1,"result":"0x1"}';

beforeEach(async () => {
  lines.length = 0;
  [a, b] = [await ScriptNode.start(() => ({ result: '"0x1"' })), await ScriptNode.start(() => ({ result: '"0x1"' }))];
});
afterEach(async () => {
  await gateway.close(0);
  await Promise.all([a.close(), b.close()]);
  rmSync(folder, { recursive: true, force: true });
});

test('a node is added and removed at runtime; its call under way ends, and the next reload of the file undoes it', async () => {
  await start(async () => ({ config: configOf() }));
  const added = await operate('POST', 'upstreams/main', { name: 'b', http: b.httpUrl, weight: 50 });
  expect(added).toMatchObject({ status: 201, json: { applied: ['added chains.main.upstreams.b'], restart: [], upstream: { name: 'b' } } });
  expect(String(added.json.note)).toContain('not written to the config file');
  expect(await operate('POST', 'upstreams/main/a/cordon')).toMatchObject({ status: 200 });
  await serves('b');
  let release: () => void = () => undefined;
  b.hold = new Promise((resolve) => (release = resolve));
  const slow = ask(1);
  await vi.waitFor(() => expect(b.calls.length).toBe(1), { timeout: 20_000 });
  expect(await operate('POST', 'upstreams/main/a/uncordon')).toMatchObject({ status: 200 });
  await serves('a');
  expect(await operate('DELETE', 'upstreams/main/b')).toMatchObject({ status: 200, json: { applied: ['removed chains.main.upstreams.b'] } });
  expect(await names()).toEqual(['a']);
  release();
  expect(await slow).toBe(GOOD);
  expect(await operate('POST', 'upstreams/main', { name: 'b', http: b.httpUrl })).toMatchObject({ status: 201 });
  expect(await names()).toEqual(['a', 'b']);
  expect(await operate('POST', 'config/reload')).toEqual({ status: 200, json: { applied: ['removed chains.main.upstreams.b'], restart: [] } });
  expect(await names()).toEqual(['a']);
});

test('what cannot be is refused and changes nothing', async () => {
  await start();
  const bad = await operate('POST', 'upstreams/main', { name: 'b', http: 'ftp://h/s3cret', weigth: 5 });
  expect(bad.status).toBe(422);
  expect(bad.json.problems).toMatchObject([{ path: 'http' }, { path: 'weigth', message: 'unknown key', suggestion: 'weight' }]);
  expect(await operate('POST', 'upstreams/main', { name: 'b', http: a.httpUrl })).toMatchObject({ status: 422, json: { problems: [{ path: 'http' }] } });
  expect(await operate('POST', 'upstreams/main', { name: 'a', http: b.httpUrl })).toMatchObject({ status: 409 });
  expect(await operate('POST', 'upstreams/none', { name: 'b', http: b.httpUrl })).toMatchObject({ status: 404 });
  expect(await operate('DELETE', 'upstreams/main/b')).toMatchObject({ status: 404 });
  expect(await operate('DELETE', 'upstreams/main/a', { now: true })).toMatchObject({ status: 400 });
  expect(await operate('DELETE', 'upstreams/main/a')).toMatchObject({ status: 422, json: { problems: [{ message: 'needs at least one upstream' }] } });
  expect(await operate('POST', 'config/reload')).toMatchObject({ status: 409 });
  expect(await names()).toEqual(['a']);
  expect(`${lines.join()}${JSON.stringify(bad)}`).not.toContain('s3cret');
});

test('a bad file changes nothing and is answered and logged with line and path; no token, no reload', async () => {
  const text = 'chains:\n  - name: main\n    upstreams:\n      - { name: a, htp: http://h.example/ }\n';
  const parsed = parseConfig(text, {});
  if (parsed.ok) throw new Error('the text should be bad');
  await start(async () => ({ place: 'tidegate.yaml', problems: parsed.problems }));
  const refused = await operate('POST', 'config/reload');
  expect(refused).toMatchObject({ status: 422, json: { place: 'tidegate.yaml' } });
  expect(refused.json.problems).toContainEqual({ path: 'chains[0].upstreams[0].htp', line: 4, column: 20, message: 'unknown key', suggestion: 'http' });
  expect(lines).toContain('reload refused, nothing is changed: tidegate.yaml:4:20 chains[0].upstreams[0].htp: unknown key (did you mean http?)');
  expect(await operate('POST', 'config/reload', { force: true })).toMatchObject({ status: 400 });
  const bare = await fetch(`http://127.0.0.1:${gateway.adminPort}/api/v1/config/reload`, { method: 'POST', headers: { 'content-type': 'application/json' } });
  expect(bare.status).toBe(401);
  const bareDelete = await fetch(`http://127.0.0.1:${gateway.adminPort}/api/v1/upstreams/main/a`, { method: 'DELETE', headers: { 'content-type': 'application/json' } });
  expect(bareDelete.status).toBe(401);
  expect(await names()).toEqual(['a']);
});

test('reloads run one at a time, each reads the file when its turn has come', async () => {
  let reading = 0;
  let weight = 10;
  await start(async () => {
    expect(++reading).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    const config = configOf({ weight: ++weight });
    reading--;
    return { config };
  });
  const done = await Promise.all([operate('POST', 'config/reload'), gateway.reloadFile(), operate('POST', 'config/reload'), gateway.reloadFile()]);
  expect(done[0]).toMatchObject({ status: 200, json: { applied: ['changed chains.main.upstreams.a'] } });
  expect(done[3]).toEqual({ live: ['changed chains.main.upstreams.a'], restart: [] });
  expect(weight).toBe(14);
});
