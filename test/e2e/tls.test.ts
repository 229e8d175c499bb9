import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type Program, builtProgram, runProgram } from '../help/program.ts';
import { ScriptNode } from '../help/scriptNode.ts';
import { makePair, TlsFiles } from '../help/tls.ts';
import type { Pair } from '../help/tls.ts';

const BODY = '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0xaa","latest"]}';
const REQUEST = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\nConnection: close\r\n\r\n${BODY}`;

let folder: string;
let node: ScriptNode;
let files: TlsFiles;
let pairs: readonly [Pair, Pair];
let program: Program | null;

beforeAll(() => void builtProgram());
beforeEach(async () => {
  program = null;
  folder = await mkdtemp(join(tmpdir(), 'tidegate-tls-'));
  node = await ScriptNode.start(() => ({ result: '"0x1"' }));
  pairs = await Promise.all([makePair(), makePair()]);
  files = await TlsFiles.make(pairs[0]);
});
afterEach(async () => {
  program?.kill('SIGKILL');
  await program?.ended;
  await node.close();
  files.remove();
  await rm(folder, { recursive: true });
});

/** One call on a new connection: the certificate's serial number, and whether the answer was right. */
const call = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', ca: pairs.map(({ cert }) => cert) }, () => {
      const { serialNumber } = socket.getPeerCertificate();
      socket.write(REQUEST);
      socket.on('data', (piece) => (text += String(piece)));
      socket.on('end', () => resolve(text.endsWith('"result":"0x1"}') ? serialNumber : text));
    });
    socket.on('error', reject);
  });

it.each([['uws', 2], ['node', 2], ['uws', 1], ['node', 1]] as const)('engine %s, %i workers: SIGHUP renews the certificate everywhere, a bad one nowhere', async (engine, workers) => {
  const file = join(folder, 'tidegate.yaml');
  const config = {
    server: { port: 0, engine, workers, tls: files.tls },
    admin: { port: 0, tokenFile: '' },
    chains: [{ name: 'main', chainId: 1, upstreams: [{ name: 'one', http: node.httpUrl }] }],
  };
  await writeFile(file, JSON.stringify(config));
  program = runProgram('serve', '--config', file);
  const { url, adminUrl } = await program.listening;
  const port = Number(new URL(url).port);
  const all = async (): Promise<string[]> => [...new Set(await Promise.all(Array.from({ length: 24 }, () => call(port))))];
  await vi.waitFor(async () => expect(await (await fetch(`${adminUrl}/api/v1/upstreams`)).text()).toContain('"state":"serving"'), { timeout: 20_000, interval: 50 });
  await vi.waitFor(async () => expect(await all()).toEqual([pairs[0].serialNumber]), { timeout: 20_000, interval: 50 });
  files.put(pairs[1]);
  program.kill('SIGHUP');
  await vi.waitFor(async () => expect(await all()).toEqual([pairs[1].serialNumber]), { timeout: 20_000, interval: 50 });
  const refused = program.logged('is not the key of the certificate');
  files.write('keyFile', pairs[0].key);
  program.kill('SIGHUP');
  expect(await refused).toContain('reload refused, nothing is changed');
  expect(await all()).toEqual([pairs[1].serialNumber]);
  program.kill('SIGTERM');
  expect((await program.ended).code).toBe(0);
});
