import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Anvil } from '../../src/devnet/anvil.ts';
import { findAnvil } from '../../src/devnet/binary.ts';
import type { Candidate } from '../../src/snapshot/choose.ts';
import { materialize } from '../../src/store/materialize.ts';
import { ask } from '../../src/verify/ask.ts';
import { nodeFacts, type NodeFacts } from '../../src/verify/pack.ts';
import { VerifyPool } from '../../src/verify/pool.ts';
import type { TrialBoot } from '../../src/verify/verify.ts';
import { testAnvil } from '../help/anvil.ts';
import { freePort } from '../help/kept.ts';
import { levelOf, scratch, Vault, writeFiles } from '../help/vault.ts';

const unpack = promisify(gunzip);
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
/** anvil's first development account. */
const FROM = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';

let anvil: Anvil;
let vault: Vault;
let pool: VerifyPool;
const booted: ChildProcess[] = [];
beforeAll(async () => {
  [anvil, vault] = await Promise.all([testAnvil(), Vault.open()]);
  pool = new VerifyPool(1);
});
afterEach(async () => {
  for (const child of booted.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await pool?.close();
  await anvil?.stop(2000);
});

/** Starts a node on restored data, apart from everything. */
const boot = async (directory: string): Promise<{ readonly name: string; readonly url: string }> => {
  const port = await freePort();
  const child = spawn(findAnvil(), ['--port', String(port), '--chain-id', '31337', '--no-mining', '--load-state', join(directory, 'state.json'), '--cache-path', join(directory, 'cache')], { stdio: 'ignore' });
  booted.push(child);
  const node = { name: 'trial', url: `http://127.0.0.1:${port}` };
  await vi.waitFor(() => ask(node, 'eth_chainId', []), { timeout: 20_000, interval: 50 });
  return node;
};

/** What a node says of its chain: each block's hash, and what the accounts have. */
const chainOf = async (node: { name: string; url: string }, { head }: NodeFacts): Promise<unknown[]> => {
  const blocks = await Promise.all(Array.from({ length: head.number + 1 }, (_, i) => ask(node, 'eth_getBlockByNumber', [`0x${i.toString(16)}`, false])));
  const balances = await Promise.all([FROM, `0x${'77'.repeat(20)}`].map((address) => ask(node, 'eth_getBalance', [address, 'latest'])));
  return [...blocks.map((block) => (block as { hash: string }).hash), ...balances];
};

interface Taken {
  readonly candidate: Candidate;
  readonly facts: NodeFacts;
  readonly chain: readonly unknown[];
  readonly file: string;
  readonly newBytes: number;
  readonly bytes: number;
}

const take = async (): Promise<Taken> => {
  const node = { name: 'anvil', url: `http://127.0.0.1:${anvil.port}` };
  for (let i = 0; i < 3; i++) {
    await ask(node, 'eth_sendTransaction', [{ from: FROM, to: `0x${'77'.repeat(20)}`, value: '0x5' }]);
    await ask(node, 'evm_mine', []);
  }
  const facts = await nodeFacts(node);
  const state = await unpack(Buffer.from(String(await ask(node, 'anvil_dumpState', [])).slice(2), 'hex'));
  // Large parts that stay as they are, as tables of a database do.
  const data = writeFiles(scratch(), { 'state.json': state, 'ancient/blocks.0000.cdat': Buffer.alloc(5 << 20, 'immutable ') });
  const { candidate, counts } = await vault.capture(data, { kind: 'incremental', facts: { ...Vault.facts, chain: { ...Vault.facts.chain, genesisHash: facts.genesisHash }, client: { kind: 'anvil', version: facts.clientVersion }, head: facts.head } });
  return { candidate, facts, chain: await chainOf(node, facts), file: sha256(join(data, 'state.json')), newBytes: counts.newStoredBytes, bytes: counts.bytes };
};

test('a full snapshot and three incremental ones each boot with their own chain, and store only what changed', async () => {
  const taken: Taken[] = [];
  for (let i = 0; i < 4; i++) taken.push(await take());
  expect(taken.map(({ candidate }) => candidate.manifest.snapshot.kind)).toEqual(['full', 'incremental', 'incremental', 'incremental']);
  for (const { newBytes, bytes } of taken.slice(1)) {
    expect(newBytes).toBeGreaterThan(0);
    expect(newBytes).toBeLessThan(bytes - (5 << 20) + 1);
  }
  for (const { candidate, facts, chain, file } of taken) {
    const directory = join(scratch(), 'node');
    await materialize(vault.store.objects, candidate.manifest.snapshot, directory, { isReadOnly: false, onProgress: () => {} });
    expect(sha256(join(directory, 'state.json'))).toBe(file);
    const node = await boot(directory);
    expect(await chainOf(node, facts)).toEqual(chain);
    const trialBoot: TrialBoot = async () => (await nodeFacts(node)).head;
    expect(levelOf(await vault.verify(candidate, pool, { trialBoot }), 'L2')).toMatchObject({ verdict: 'proven' });
    const other: TrialBoot = async () => ({ number: 1, hash: `0x${'0'.repeat(64)}` });
    expect(levelOf(await vault.verify(candidate, pool, { trialBoot: other }), 'L2')).toMatchObject({ verdict: 'failed', why: expect.stringContaining('snapshot.head') });
  }
});
