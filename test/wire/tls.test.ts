import { connect } from 'node:tls';
import { Pool } from 'undici';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { configFromValue } from '../../src/config/parse.ts';
import type { Config } from '../../src/config/schema.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { Logger } from '../../src/observe/log.ts';
import { ENGINES } from '../help/edge.ts';
import { ScriptNode } from '../help/scriptNode.ts';
import { makePair, TlsFiles } from '../help/tls.ts';
import type { Pair } from '../help/tls.ts';

const BODY = '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0xaa","latest"]}';
const GOOD = '{"jsonrpc":"2.0","id":1,"result":"0x1"}';

let first: Pair;
let second: Pair;
let expired: Pair;
beforeAll(async () => {
  [first, second, expired] = await Promise.all([makePair(), makePair(), makePair(-1000)]);
});

describe.each(ENGINES)('certificates of a running gateway, engine %s', (engine) => {
  let node: ScriptNode;
  let files: TlsFiles;
  let gateway: Gateway;
  let pool: Pool;
  let logged: string[];
  let isOver: boolean;
  const note = (_fields: unknown, text: string): void => void logged.push(text);
  const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log };

  const configOf = (tls: object = files.tls, more: object = {}): Config => {
    const upstreams = [{ name: 'one', http: node.httpUrl }];
    const result = configFromValue({
      server: { port: 0, engine, tls, ...more },
      admin: { port: 0, tokenFile: '' },
      chains: [{ name: 'main', chainId: 1, upstreams, routing: { hedge: { enabled: false } } }],
    });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    return result.config;
  };
  const call = async (): Promise<string> => {
    const answer = await pool.request({ path: '/', method: 'POST', headers: { 'content-type': 'application/json' }, body: BODY });
    return answer.body.text();
  };
  /** Serial number that a new connection is shown. */
  const served = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port: gateway.clientPort, host: '127.0.0.1', ca: [first.cert, second.cert] }, () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      });
      socket.once('error', reject);
    });
  const untilServed = ({ serialNumber }: Pair): Promise<void> =>
    vi.waitFor(async () => expect(await served()).toBe(serialNumber), { timeout: 15_000, interval: 20 });
  const untilLogged = (pattern: RegExp): Promise<void> =>
    vi.waitFor(() => expect(logged.join('\n')).toMatch(pattern), { timeout: 15_000, interval: 20 });

  beforeEach(async () => {
    logged = [];
    isOver = false;
    node = await ScriptNode.start(() => ({ result: '"0x1"' }));
    files = await TlsFiles.make(first);
    gateway = await startGateway(configOf(), { log, version: 'test' });
    pool = new Pool(`https://127.0.0.1:${gateway.clientPort}`, { connections: 8, connect: { ca: [first.cert, second.cert] } });
    await vi.waitFor(async () => expect(await call()).toBe(GOOD), { timeout: 15_000, interval: 20 });
  });
  afterEach(async () => {
    isOver = true;
    await pool?.destroy();
    await gateway?.close(0);
    await node?.close();
    files?.remove();
  });

  test('files that change under load cost no call; new connections see the new certificate, a bad one changes nothing', async () => {
    const wrong: string[] = [];
    let answered = 0;
    const client = async (): Promise<void> => {
      while (!isOver) {
        const answer = await call().catch((error: unknown) => String(error));
        if (answer !== GOOD) wrong.push(answer);
        answered += 1;
      }
    };
    const clients = Array.from({ length: 8 }, client);
    const more = async (): Promise<void> => {
      const goal = answered + 50;
      await vi.waitFor(() => expect(answered).toBeGreaterThan(goal), { timeout: 15_000, interval: 5 });
    };
    for (const pair of [second, first, second]) {
      files.put(pair);
      await untilServed(pair);
      await more();
    }
    files.write('certFile', first.cert);
    await untilLogged(/reload refused, nothing is changed: .*tls\.key: server\.tls\.keyFile: is not the key of the certificate in .*tls\.crt/);
    expect(await served()).toBe(second.serialNumber);
    await more();
    isOver = true;
    await Promise.all(clients);
    expect(wrong).toEqual([]);
    expect(answered).toBeGreaterThan(200);
  });

  test('a reload reads the files anew, takes over other options, and refuses what clients would', async () => {
    expect(await gateway.reload(configOf())).toEqual({ live: [], restart: [] });
    const other = await TlsFiles.make(second);
    const report = await gateway.reload(configOf({ ...other.tls, minVersion: 'TLSv1.3' }));
    expect(report).toEqual({ live: ['changed server.tls', 'renewed server.tls'], restart: [] });
    await untilServed(second);
    expect(await call()).toBe(GOOD);
    const old = await TlsFiles.make(expired);
    await expect(gateway.reload(configOf(old.tls, { maxBatchItems: 3 }))).rejects.toThrow(/certFile: .*tls\.crt: the certificate has expired on /);
    // the refused one was not taken over in part
    expect((await gateway.reload(configOf({ ...other.tls, minVersion: 'TLSv1.3' }))).live).toEqual([]);
    expect(await served()).toBe(second.serialNumber);
    // from now on the other files are followed
    other.put(first);
    await untilServed(first);
    for (const all of [other, old]) all.remove();
  });

  test('plain HTTP and TLS take a restart to change places', async () => {
    expect(await gateway.reload(configOf({}, { maxBatchItems: 3 }))).toEqual({ live: ['changed server.maxBatchItems'], restart: ['server.tls'] });
    expect(await served()).toBe(first.serialNumber);
  });

  test('an expired certificate is served with at the start, and told', async () => {
    const old = await TlsFiles.make(expired);
    const late = await startGateway(configOf(old.tls), { log, version: 'test' });
    expect(logged.join('\n')).toMatch(/clients will refuse the certificate: .*has expired on /);
    await late.close(0);
    old.remove();
  });
});
