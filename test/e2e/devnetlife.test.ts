import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anvilPackage, findAnvil } from '../../src/devnet/binary.ts';
import { startDevnet } from '../../src/devnet/devnet.ts';
import { rpc, Signer } from '../help/client.ts';
import { hashesOf, testDevnet } from '../help/devnet.ts';

let dataDir = '';
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'devnet-life-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

function alive(pid: number | null | undefined): boolean {
  try {
    return process.kill(pid ?? 0, 0);
  } catch {
    return false;
  }
}

describe('a devnet', () => {
  it('makes blocks by itself at its block time', async () => {
    const devnet = await testDevnet({ nodes: 1, blockTimeMs: 50 });
    await devnet.sequencer.reached(0, 3);
    expect(Number(await rpc(devnet.url(0), 'eth_blockNumber'))).toBeGreaterThanOrEqual(3);
    await devnet.close();
  });

  it('gives safe and finalized heads behind the latest', async () => {
    const devnet = await testDevnet({ nodes: 1 });
    await devnet.mine(5);
    const number = async (tag: string): Promise<number> => Number((await rpc<{ number: string }>(devnet.url(0), 'eth_getBlockByNumber', [tag, false])).number);
    expect(await Promise.all(['latest', 'safe', 'finalized'].map(number))).toEqual([5, 4, 3]);
    await devnet.close();
  });

  it('leaves no process, no temporary directory and no open port when closed', async () => {
    const devnet = await testDevnet();
    const pids = devnet.nodes.map(({ pid }) => pid);
    expect(pids.map(alive)).toEqual([true, true, true]);
    await devnet.nodes[1]?.kill('SIGSTOP');
    await Promise.all([devnet.close(), devnet.close()]);
    expect(pids.map(alive)).toEqual([false, false, false]);
    expect(existsSync(devnet.dataDir)).toBe(false);
    await expect(rpc(devnet.url(0), 'eth_blockNumber')).rejects.toThrow('fetch failed');
    await expect(devnet.sequencer.blockNow()).rejects.toThrow('closed');
  });

  it('goes on with the chain of its data directory, even after a torn write', async () => {
    const signer = new Signer(0);
    const first = await testDevnet({ dataDir });
    for (let block = 0; block < 6; block++) {
      await rpc(first.url(0), 'eth_sendRawTransaction', [await signer.sign()]);
      await first.mine(1);
    }
    await first.settled();
    const hashes = await hashesOf(first.url(1), 6);
    await first.close();
    expect(readdirSync(dataDir)).toEqual(['chain.log']);
    appendFileSync(join(dataDir, 'chain.log'), readFileSync(join(dataDir, 'chain.log')).subarray(-300, -40));
    const second = await testDevnet({ dataDir });
    for (const index of [0, 1, 2]) expect(await hashesOf(second.url(index), 6)).toEqual(hashes);
    await rpc(second.url(2), 'eth_sendRawTransaction', [await signer.sign()]);
    await second.mine(1);
    await second.settled();
    expect(await hashesOf(second.url(2), 7)).toEqual(await hashesOf(second.url(0), 7));
    await second.close();
  });

  it('refuses a data directory in use, and one of another chain', async () => {
    const devnet = await testDevnet({ nodes: 1, dataDir });
    await expect(startDevnet({ nodes: 1, dataDir })).rejects.toThrow(`lock is held by process ${process.pid}`);
    await devnet.close();
    await expect(startDevnet({ nodes: 1, dataDir, chainId: 1234 })).rejects.toThrow('is of chain 31337 (prague), not of chain 1234');
  });

  it('refuses a port that is taken, and starts nothing then', async () => {
    const holder: Server = createServer();
    const port = await new Promise<number>((resolve) => {
      holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port));
    });
    // The first node's port is free, or the test is void; the second's is taken.
    await expect(startDevnet({ nodes: 2, dataDir, basePort: port - 1 })).rejects.toThrow(/anvil did not start on port \d+ .*in use/);
    expect(readdirSync(dataDir)).toEqual([]);
    await new Promise((resolve) => holder.close(resolve));
  });

  it('starts a killed node again where that is asked for', async () => {
    const devnet = await testDevnet({ nodes: 2, autoRestart: true, restartDelayMs: 10 });
    await devnet.mine(3);
    const before = devnet.nodes[0]?.pid;
    await devnet.nodes[0]?.kill('SIGKILL');
    expect(await devnet.reported('a node ended')).toMatchObject({ fields: { node: 'anvil-1', signal: 'SIGKILL' } });
    await devnet.reported('a node was started again');
    await devnet.settled();
    expect(devnet.nodes[0]?.pid).not.toBe(before);
    expect(await hashesOf(devnet.url(0), 3)).toEqual(await hashesOf(devnet.url(1), 3));
    await devnet.close();
  });
});

/** A process of its own that starts a devnet, prints the pids of its nodes, and stays. */
function devnetProcess(): ChildProcess {
  const script = `
    import { createServer } from 'vite';
    const vite = await createServer({ configFile: false, logLevel: 'error', server: { middlewareMode: true, ws: false, watch: null }, optimizeDeps: { noDiscovery: true } });
    const { startDevnet } = await vite.ssrLoadModule('/src/devnet/devnet.ts');
    const devnet = await startDevnet({ dataDir: process.env.DATA_DIR });
    console.log(JSON.stringify(devnet.nodes.map((node) => node.pid)));`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { env: { ...process.env, DATA_DIR: dataDir }, stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('the nodes of a process', () => {
  it.each(['SIGKILL', 'SIGINT'] as const)('end with it when it dies of %s', async (signal) => {
    const child = devnetProcess();
    const pids = await new Promise<number[]>((resolve) => child.stdout?.once('data', (line) => resolve(JSON.parse(String(line)) as number[])));
    expect(pids.map(alive)).toEqual([true, true, true]);
    child.kill(signal);
    await expect.poll(() => pids.map(alive), { timeout: 10_000 }).toEqual([false, false, false]);
    // Directories of the nodes go too; the log and the stale lock stay, and the next start copes with both.
    await expect.poll(() => readdirSync(dataDir).sort()).toEqual(['chain.log', 'lock']);
    const next = await testDevnet({ dataDir, nodes: 1 });
    await next.close();
  });
});

describe('the anvil binary', () => {
  it('is found for this platform', () => {
    expect(existsSync(findAnvil())).toBe(true);
  });

  it('is named with its platform where it is absent', () => {
    expect(anvilPackage('darwin', 'arm64')).toBe('@foundry-rs/anvil-darwin-arm64');
    expect(() => findAnvil('sunos', 'sparc')).toThrow('no anvil binary for sunos sparc: the package @foundry-rs/anvil-sunos-sparc is not installed');
  });
});
