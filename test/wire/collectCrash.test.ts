import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { collect } from '../../src/store/collect.ts';
import { chunksOf } from '../../src/store/store.ts';
import { builtProgram } from '../help/program.ts';
import { scratch, Vault, writeFiles } from '../help/vault.ts';

const RULES = { graceMs: 1000, trashMs: 5000 };
const POINTS = ['planned', 'recovered', 'one to the trash', 'trashed', 'one removed', 'removed', 'marked', 'swept'];

/** A round of collection in a process that ends itself by SIGKILL where a sub-step is reached. */
const CHILD = `
const [dist, root, now, point] = process.argv.slice(1);
const { collect } = await import(dist + '/store/collect.js');
const { SnapshotStore } = await import(dist + '/store/store.js');
const keys = JSON.parse(process.env.KEYS);
const store = new SnapshotStore({ root, keys: () => keys, nowMs: () => Number(now) });
await collect(store, ${JSON.stringify(RULES)}, (reached) => { if (reached === point) process.kill(process.pid, 'SIGKILL'); });
`;

beforeAll(() => void builtProgram());

const killedAt = (vault: Vault, point: string): Promise<string | null> => {
  const { keyId, publicKey } = vault.key;
  const args = ['--input-type=module', '-e', CHILD, join(import.meta.dirname, '../../dist'), vault.root, String(vault.nowMs), point];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, KEYS: JSON.stringify([{ keyId, publicKey, isRevoked: false }]) } });
  return new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
};

const files = (name: string): Record<string, string> => Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`${name}-${i}.sst`, `${name} ${i}`]));

const allWhole = async ({ store }: Vault): Promise<number> => {
  const listed = await store.manifests.list();
  for (const { problem, candidate } of listed) {
    expect(problem).toBeNull();
    for (const chunk of chunksOf(candidate!.manifest.snapshot)) await store.objects.read(chunk);
  }
  return listed.length;
};

test.each(POINTS)('killed when it is %s: no snapshot loses anything, what is captured meanwhile neither, and the next rounds end the same', async (point) => {
  let reached = 0;
  for (const rounds of [0, 1, 2]) {
    const vault = await Vault.open();
    vault.nowMs = Date.now() + 1000;
    const data = writeFiles(scratch(), files('old'));
    await vault.capture(data);
    const kept = await vault.capture(writeFiles(scratch(), files('new')));
    await vault.store.manifests.remove((await vault.store.trusted('demo'))[0]!);
    for (let i = 0; i < rounds; i++) {
      vault.nowMs += 6000;
      await collect(vault.store, RULES);
    }
    vault.nowMs += 6000;
    if ((await killedAt(vault, point)) === 'SIGKILL') reached++;
    expect(await allWhole(vault)).toBe(1);
    // the same bytes again, of which some are marked, in the trash, or gone
    const again = await vault.capture(data, { kind: 'incremental' });
    expect(await allWhole(vault)).toBe(2);
    for (let i = 0; i < 4; i++) {
      vault.nowMs += 6000;
      await collect(vault.store, RULES);
    }
    expect(await allWhole(vault)).toBe(2);
    const needed = new Set([kept, again].flatMap(({ candidate }) => chunksOf(candidate.manifest.snapshot).map(({ id }) => id)));
    expect((await vault.store.objects.list()).objects.length).toBe(needed.size);
    expect(await vault.store.trashed()).toEqual([]);
  }
  expect(reached).toBeGreaterThan(0);
});
