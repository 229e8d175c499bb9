import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { BentNode } from '../help/bentNode.ts';
import { rpc } from '../help/client.ts';
import { type TestDevnet, testDevnet } from '../help/devnet.ts';
import { type Program, builtProgram, runProgram } from '../help/program.ts';

const PATIENCE = { timeout: 20_000, interval: 25 };
const ENGINES = ['uws', 'node'] as const;

let devnet: TestDevnet;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  builtProgram();
  devnet = await testDevnet({ nodes: 2 });
  await devnet.mine(3);
  await devnet.settled();
});
afterAll(() => devnet.close());
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Runs `tidegate serve` over these nodes, on free ports unless told otherwise. */
function serve(urls: readonly string[], ...options: readonly string[]): Program {
  const ports = ['--port', '--admin-port'].filter((option) => !options.includes(option)).flatMap((option) => [option, '0']);
  const program = runProgram('serve', ...urls.flatMap((url) => ['--upstream', url]), ...ports, ...options);
  closers.push(async () => {
    program.kill('SIGKILL');
    await program.ended;
  });
  return program;
}

const urls = (): string[] => devnet.nodes.map(({ httpUrl }) => httpUrl);

async function readiness(adminUrl: string): Promise<string> {
  const answer = await fetch(`${adminUrl}/readyz`);
  return `${answer.status} ${await answer.text()}`;
}

async function ready(adminUrl: string): Promise<void> {
  await vi.waitFor(async () => expect(await readiness(adminUrl)).toMatch(/^200 /), PATIENCE);
}

describe('tidegate serve --upstream', () => {
  it('fronts nodes without a config file: their chain id is asked for, and names a path', async () => {
    const { url, adminUrl } = await serve(urls()).listening;
    // Who says that it serves does so: there is nothing to wait for.
    expect(await rpc(`${url}evm/31337`, 'eth_blockNumber')).toBe('0x3');
    expect(await rpc(url, 'eth_chainId')).toBe('0x7a69');
    expect(await readiness(adminUrl)).toMatch(/^200 /);
  });

  it('ends with an error that names both ids when the nodes are of different chains', async () => {
    const stranger = await BentNode.start(devnet.url(1), (method, _, result) => (method === 'eth_chainId' ? '0x539' : result));
    closers.push(() => stranger.close());
    const { code, stderr } = await serve([devnet.url(0), stranger.httpUrl]).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tidegate: .*different chains.*31337.*1337/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('starts unready while every node is dead, answers with errors, and becomes ready when they come up', async () => {
    await Promise.all(devnet.nodes.map((node) => node.stop()));
    const { url, adminUrl } = await serve(urls()).listening;
    expect(await readiness(adminUrl)).toMatch(/^503 not ready\n.*chain id/);
    await expect(rpc(url, 'eth_blockNumber')).rejects.toMatchObject({ status: 503, code: -32000 });
    await Promise.all(devnet.nodes.map((node) => node.start()));
    await devnet.settled();
    await ready(adminUrl);
    expect(await rpc(url, 'eth_blockNumber')).toBe('0x3');
    expect(await rpc(`${url}evm/31337`, 'eth_blockNumber')).toBe('0x3');
  });

  it.each(ENGINES)('on the engine %s finishes the call under way at SIGTERM, and ends with 0', async (engine) => {
    let arrive = (): void => undefined;
    let release = (): void => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    const slow = await BentNode.start(devnet.url(0), async (method, _, result) => {
      if (method !== 'eth_getBalance') return result;
      arrive();
      await released;
      return result;
    });
    closers.push(() => slow.close());
    const program = serve([slow.httpUrl], '--engine', engine);
    const { url, adminUrl } = await program.listening;
    await ready(adminUrl);
    const call = rpc(url, 'eth_getBalance', ['0x000000000000000000000000000000000000dead', 'latest']);
    await arrived;
    program.kill('SIGTERM');
    await vi.waitFor(async () => expect(await readiness(adminUrl)).toMatch(/^503 .*\ndraining/), PATIENCE);
    await expect(rpc(url, 'eth_chainId')).rejects.toThrow();
    release();
    expect(await call).toBe('0x0');
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a port that is taken', () => {
  const holder = async (): Promise<number> => {
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    return (server.address() as AddressInfo).port;
  };

  it.each([
    ['--port', 'uws'],
    ['--port', 'node'],
    ['--admin-port', 'auto'],
  ])('given as %s with the engine %s is an error that names it', async (option, engine) => {
    const port = await holder();
    const { code, stderr } = await serve(urls(), option, String(port), '--engine', engine).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^tidegate: .*127\\.0\\.0\\.1:${port}.*in use`));
  });

  it.each(ENGINES)('by another gateway on the engine %s is one too, though that engine could share it', async (engine) => {
    const { url, adminUrl } = await serve(urls(), '--engine', engine).listening;
    const { port } = new URL(url);
    const { code, stderr } = await serve(urls(), '--port', port, '--engine', engine).ended;
    expect(code).toBe(1);
    expect(stderr).toContain(port);
    await ready(adminUrl);
    expect(await rpc(url, 'eth_chainId')).toBe('0x7a69');
  });
});
