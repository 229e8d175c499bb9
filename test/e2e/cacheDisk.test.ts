import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { type Told, tell } from '../help/cacheCalls.ts';
import { rpc } from '../help/client.ts';
import { type TestDevnet, testDevnet } from '../help/devnet.ts';
import { builtProgram, runProgram } from '../help/program.ts';
import { needs } from '../help/require.ts';

const A = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const closers: (() => unknown)[] = [];

beforeAll(() => void builtProgram());
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Edge {
  readonly pid: number;
  readonly url: string;
  readonly adminUrl: string;
  /** Ends it as asked; by default as an operator would. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  logged(text: string): Promise<string>;
}

async function startEdge(config: string): Promise<Edge> {
  const program = runProgram('serve', '--config', config);
  closers.push(() => program.kill('SIGKILL'));
  const told = await program.listening;
  return {
    ...told,
    pid: program.pid,
    logged: (text) => program.logged(text),
    stop: async (signal = 'SIGTERM') => {
      program.kill(signal);
      await program.ended;
    },
  };
}

/** Config of an edge with a file of stored answers. */
function configOf(devnet: TestDevnet, folder: string, workers = 1): string {
  const upstreams = devnet.nodes.map(({ httpUrl }, index) => ({ name: `n${index}`, http: httpUrl }));
  const path = join(folder, 'edge.yaml');
  const disk = { path: join(folder, 'answers.mdb'), maxBytes: '64MiB' };
  const chain = { name: 'dev', blockTimeMs: 2000, upstreams, health: { probeIntervalMs: 100 } };
  writeFileSync(path, JSON.stringify({ server: { port: 0, workers }, admin: { port: 0, tokenFile: '' }, cache: { disk }, chains: [chain] }));
  return path;
}

const FINAL = (n: number): readonly (readonly [string, readonly unknown[]])[] => {
  const number = `0x${n.toString(16)}`;
  return [['eth_getBlockByNumber', [number, true]], ['eth_getBalance', [A, number]], ['eth_getBlockReceipts', [number]], ['eth_getCode', [A, number]]];
};
const CALLS = [1, 2, 3, 4, 5].flatMap(FINAL);

const askAll = (url: string): Promise<Told[]> => Promise.all(CALLS.map(([method, params]) => tell(url, method, params)));
const gauge = async (edge: Edge, name: string): Promise<number> => {
  const text = await (await fetch(`${edge.adminUrl}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith(`tidegate_${name}`)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
};

/** Fills the file through a running edge; gives what nodes answer to the same calls. */
async function fill(devnet: TestDevnet, config: string): Promise<unknown[]> {
  const truth = await Promise.all(CALLS.map(([method, params]) => rpc(devnet.url(0), method, params)));
  const edge = await startEdge(config);
  await vi.waitFor(async () => expect(await gauge(edge, 'trusted_finalized_block')).toBeGreaterThanOrEqual(5), { timeout: 20_000, interval: 50 });
  await vi.waitFor(
    async () => {
      await askAll(edge.url);
      expect(await gauge(edge, 'cache_stores_total{chain="dev",tier="disk",class="finalized"}')).toBeGreaterThanOrEqual(CALLS.length);
    },
    { timeout: 20_000, interval: 100 },
  );
  expect((await askAll(edge.url)).map(({ body }) => body.result)).toEqual(truth);
  await edge.stop();
  return truth;
}

async function prepared(workers = 1): Promise<{ devnet: TestDevnet; config: string; file: string; truth: unknown[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-disk-'));
  const devnet = await testDevnet();
  closers.push(() => devnet.close());
  await devnet.mine(12);
  await devnet.settled();
  const config = configOf(devnet, folder, workers);
  return { devnet, config, file: join(folder, 'answers.mdb'), truth: await fill(devnet, config) };
}

it.each([1, 2])('after a restart with all nodes dead, final calls are answered from the disk (%i processes)', async (workers) => {
  const { devnet, config, truth } = await prepared(workers);
  await devnet.close();
  closers.splice(0);
  const edge = await startEdge(config);
  const told = await askAll(edge.url);
  expect(told.map(({ body }) => body.result)).toEqual(truth);
  expect(told.every(({ cache }) => cache === 'hit')).toBe(true);
  expect((await tell(edge.url, 'eth_getBalance', [A, 'latest'])).body.error?.code).toBe(-32000);
  expect((await tell(edge.url, 'eth_getBalance', [A, '0xb'])).body.error?.code).toBe(-32000);
  await edge.stop('SIGKILL');
  const again = await startEdge(config);
  expect((await askAll(again.url)).map(({ body }) => body.result)).toEqual(truth);
  await again.stop();
});

it('a chain that began anew never meets the answers of the old one', async () => {
  const { devnet, config } = await prepared();
  await devnet.close();
  closers.splice(0);
  const other = await testDevnet();
  closers.push(() => other.close());
  await other.mine(12);
  await other.settled();
  const text = readFileSync(config, 'utf8');
  writeFileSync(config, devnet.nodes.reduce((yaml, { httpUrl }, index) => yaml.replace(httpUrl, other.url(index)), text));
  const edge = await startEdge(config);
  await vi.waitFor(async () => expect(await gauge(edge, 'trusted_finalized_block')).toBeGreaterThanOrEqual(5), { timeout: 20_000, interval: 50 });
  const told = await askAll(edge.url);
  expect(told.map(({ body }) => body.result)).toEqual(await Promise.all(CALLS.map(([method, params]) => rpc(other.url(0), method, params))));
  await edge.stop();
});

it('flipped bytes give no wrong answer and kill no edge', async () => {
  const { devnet, config, file, truth } = await prepared();
  const whole = readFileSync(file);
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    const bytes = Buffer.from(whole);
    for (let flips = 0; flips < 200; flips++) {
      const at = Math.floor(random() * bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
    }
    writeFileSync(file, bytes);
    const edge = await startEdge(config);
    expect((await askAll(edge.url)).map(({ body }) => body.result)).toEqual(truth);
    await edge.stop();
  }
  expect(await rpc(devnet.url(0), 'eth_blockNumber')).toBe('0xc');
});

it.each([0, 4096, 20_000])('a file cut to %i bytes kills no edge, and is set aside', async (length) => {
  const { config, file, truth } = await prepared();
  expect(statSync(file).size).toBeGreaterThan(length);
  truncateSync(file, length);
  const edge = await startEdge(config);
  expect((await askAll(edge.url)).map(({ body }) => body.result)).toEqual(truth);
  await vi.waitFor(async () => expect(await gauge(edge, 'cache_disk_up')).toBe(1), { timeout: 5000, interval: 50 });
  if (length > 0) expect(existsSync(`${file}.damaged`)).toBe(true);
  await edge.stop();
});

it.each([['below a file', (config: string) => join(config, 'below-a-file')], ['where no file can be made', () => '/proc/tidegate']])('a path %s means no second tier, and says so', async (_what, folderOf) => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-disk-'));
  const devnet = await testDevnet();
  closers.push(() => devnet.close());
  const config = configOf(devnet, folder);
  writeFileSync(config, readFileSync(config, 'utf8').replace(join(folder, 'answers.mdb'), join(folderOf(config), 'answers.mdb')));
  const edge = await startEdge(config);
  expect(await gauge(edge, 'cache_disk_up')).toBe(0);
  expect((await tell(edge.url, 'eth_chainId')).body.result).toBe('0x7a69');
  await edge.stop();
});

it.skipIf(!needs('prlimit'))('a disk that takes no more ends the use of the file, not the edge (needs prlimit)', async () => {
  const { devnet, config, truth } = await prepared();
  const edge = await startEdge(config);
  await vi.waitFor(async () => expect(await gauge(edge, 'trusted_finalized_block')).toBeGreaterThanOrEqual(5), { timeout: 20_000, interval: 50 });
  execFileSync('prlimit', ['--pid', String(edge.pid), '--fsize=4096']);
  const told = edge.logged('is used no more');
  let slot = 0;
  await vi.waitFor(async () => {
    const params = [A, `0x${(slot++).toString(16)}`, '0x1'];
    expect((await tell(edge.url, 'eth_getStorageAt', params)).body.result).toBe(await rpc(devnet.url(0), 'eth_getStorageAt', params));
    expect(await gauge(edge, 'cache_disk_up')).toBe(0);
  }, { timeout: 20_000, interval: 20 });
  expect(await told).toContain('a write failed, as on a full disk');
  for (let turn = 0; turn < 2; turn++) expect((await askAll(edge.url)).map(({ body }) => body.result)).toEqual(truth);
  await edge.stop();
  // what had been written before is there
  await devnet.close();
  closers.splice(0);
  const again = await startEdge(config);
  expect((await askAll(again.url)).map(({ body }) => body.result)).toEqual(truth);
  await again.stop();
});
