import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type Program, builtProgram, runProgram } from '../help/program.ts';
import { ScriptNode } from '../help/scriptNode.ts';

// Everything that must never come out again contains this word.
const SECRET = 's3same';
const CLIENT_KEY = `${SECRET}-of-a-client`;

let folder: string;
let node: ScriptNode;
let rude: Server;
let program: Program;

beforeAll(() => void builtProgram());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-secrets-'));
  node = await ScriptNode.start(() => ({ result: '"0x1"' }));
  // Takes connections and answers with garbage, for HTTP, TLS and WebSocket alike.
  rude = createServer((socket) => {
    socket.on('error', () => undefined).resume();
    socket.end(`HTTP/1.1 401 no ${SECRET}-path\r\nx-key: ${SECRET}\r\ncontent-length: 0\r\n\r\n`);
  });
  await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  program?.kill('SIGKILL');
  await program?.ended;
  await node.close();
  await new Promise((resolve) => rude.close(resolve));
  await rm(folder, { recursive: true });
});

const withKeys = (url: string): string => `${url.replace('://', `://${SECRET}-user:${SECRET}-password@`)}v3/${SECRET}-path?key=${SECRET}-query`;

const yaml = (engine: string, extra: object = {}): string => {
  const rudeUrl = `http://127.0.0.1:${(rude.address() as AddressInfo).port}/`;
  const upstreams = [
    { name: 'good', http: withKeys(node.httpUrl), headers: { 'x-api-key': `${SECRET}-header` } },
    { name: 'garbage', http: withKeys(rudeUrl), ws: withKeys(rudeUrl).replace('http', 'ws') },
    { name: 'tls', http: withKeys(rudeUrl).replace('http', 'https') },
    { name: 'nobody', http: withKeys('http://127.0.0.1:9/'), ws: withKeys('ws://127.0.0.1:9/') },
    { name: 'nowhere', http: withKeys('http://no-such-host.invalid/') },
  ];
  return JSON.stringify({
    server: { port: 0, engine },
    admin: { port: 0, tokenFile: join(folder, 'admin.token') },
    log: { level: 'debug', sampleEvery: 1 },
    access: { keys: [{ name: 'app', sha256: createHash('sha256').update(CLIENT_KEY).digest('hex') }], required: true },
    chains: [{ name: 'main', chainId: 1, upstreams }],
    ...extra,
  });
};

it.each(['uws', 'node'])('engine %s: keys and URLs are in no log line, no admin answer, no metric and no error', async (engine) => {
  const file = join(folder, 'tidegate.yaml');
  await writeFile(file, yaml(engine));
  program = runProgram('serve', '--config', file);
  const { url, adminUrl } = await program.listening;
  const answers: string[] = [];
  const ask = async (path: string, headers: Record<string, string>, method = 'eth_getBalance'): Promise<void> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: ['0xaa', 'latest'] });
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
    answers.push(`${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}`);
  };
  const key = { 'x-api-key': CLIENT_KEY };
  await vi.waitFor(async () => expect(await (await fetch(`${adminUrl}/api/v1/upstreams`)).text()).toMatch(/"name":"good"[^}]*"state":"serving"/), { timeout: 20_000, interval: 50 });

  // what the node says may hold its own address and key, as text, as data, or as garbage
  const leak = `invalid project id ${SECRET}-path, see ${withKeys(node.httpUrl)}`;
  const says: ScriptNode['say'][] = [
    () => ({ error: JSON.stringify({ code: -32000, message: leak }) }),
    () => ({ error: JSON.stringify({ code: -32603, message: 'bad', data: { url: withKeys(node.httpUrl) } }) }),
    () => ({ body: `<html>${leak}</html>`, status: 401 }),
    () => ({ body: `{"jsonrpc":"2.0","id":1,"error":"${leak}"}`, status: 403 }),
    () => ({ body: leak }),
    () => ({ body: leak, status: 500 }),
  ];
  for (const say of says) {
    node.say = say;
    await ask('', key);
    await ask(`main/${CLIENT_KEY}`, {});
  }
  for (const wrong of [{ 'x-api-key': `${SECRET}-wrong` }, { authorization: `Bearer ${SECRET}-wrong` }]) await ask('', wrong);
  for (const path of [`main/${SECRET}-wrong`, `${SECRET}-wrong`, `evm/1/${SECRET}-wrong`, `nochain/${SECRET}-wrong?key=${SECRET}`]) await ask(path, {});
  await ask('', key, `${SECRET}_method`);
  expect(answers.filter((answer) => answer.startsWith('401'))).toHaveLength(6);

  // files that are wrong exactly where the secrets are
  const spoilt: readonly (readonly [object, string])[] = [
    [{ chains: [{ name: 'main', upstreams: [{ name: 'a', http: `htp://${SECRET}/v3/${SECRET}` }] }] }, 'chains[0].upstreams[0].http'],
    [{ chains: [{ name: 'main', upstreams: [{ name: 'a', http: 'http://h/', headers: { 'bad name': SECRET } }] }] }, 'headers'],
    [{ access: { keys: [{ name: 'k', sha256: SECRET }] } }, 'sha256'],
    [{ server: { tls: { certFile: 'a', keyFile: 5, passphrase: SECRET } } }, 'server.tls.keyFile'],
  ];
  for (const [extra, path] of spoilt) {
    const logged = program.logged(path);
    await writeFile(file, yaml(engine, extra));
    program.kill('SIGHUP');
    expect(await logged).toContain('reload refused, nothing is changed');
  }

  const pages = ['metrics', 'livez', 'readyz', 'api/v1/upstreams', 'api/v1/explain?chain=main&method=eth_getBalance&params=%5B%220xaa%22%5D', 'api/v1/config', 'nothing'];
  for (const page of pages) answers.push(await (await fetch(`${adminUrl}/${page}`)).text());
  program.kill('SIGTERM');
  const { stdout, stderr } = await program.ended;
  expect(stdout).toContain('"upstream":"nobody"');
  for (const text of [...stdout.split('\n'), stderr, ...answers]) expect(text).not.toContain(SECRET);
});
