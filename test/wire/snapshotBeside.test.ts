import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { collect } from '../../src/store/collect.ts';
import { takeLock } from '../../src/store/lock.ts';
import { dropSnapshots, retentionOf } from '../../src/store/prune.ts';
import { chunksOf } from '../../src/store/store.ts';
import { builtProgram } from '../help/program.ts';
import { scratch, Vault } from '../help/vault.ts';

const CAPTURES = 12;
const HOUR_MS = 3_600_000;

/** Captures again and again in a process of its own; half of the data comes and goes, so that it needs what a collection has just found unused. */
const script = (dist: string): string => `
import { mkdirSync, writeFileSync, readFileSync } from 'node:fs';
const [root, keyFile, data, facts] = process.argv.slice(2);
const at = (file) => import(${JSON.stringify(dist)} + file);
const { SnapshotStore } = await at('store/store.js');
const { capture } = await at('store/capture.js');
const { loadKey } = await at('store/keys.js');
const key = await loadKey(keyFile);
const store = new SnapshotStore({ root, keys: () => [{ ...key, isRevoked: false }], nowMs: () => Date.now() });
for (let round = 0; round < ${CAPTURES}; round++) {
  mkdirSync(data, { recursive: true });
  for (let i = 0; i < 40; i++) writeFileSync(data + '/' + i + '.sst', 'table ' + i + ' of ' + (i % 2 === 0 ? round % 3 : 'ever'));
  await capture(store, { chain: 'demo', clientKind: 'other', directory: data, prove: () => Promise.resolve({ facts: JSON.parse(facts), proofDirectory: null }), kind: round % 4 === 0 ? 'full' : 'incremental', gzip: false, key, onProgress: () => {} });
}
`;

test('captures in one process while another prunes and collects: every snapshot that is left is whole', async () => {
  const vault = await Vault.open();
  const { store } = vault;
  const keyFile = join(scratch(), 'key');
  const { loadKey } = await import('../../src/store/keys.ts');
  Object.assign(vault.key, await loadKey(keyFile));
  const program = join(scratch(), 'run.mjs');
  writeFileSync(program, script(pathToFileURL(join(dirname(builtProgram()), '/')).href));
  const child = spawn(process.execPath, [program, vault.root, keyFile, join(scratch(), 'data'), JSON.stringify(Vault.facts)], { stdio: ['ignore', 'inherit', 'inherit'] });
  const over = once(child, 'exit').then(([code]) => Number(code));
  let code: number | null = null;
  void over.then((ended) => (code = ended));
  const total = { trashed: 0, back: 0, dropped: 0 };
  while (code === null) {
    vault.nowMs = Date.now();
    const all = await store.trusted('demo');
    const { drop } = await retentionOf(store, all, { levels: ['L0'] }, { last: 2, hourly: 0, daily: 0, weekly: 0, monthly: 0 });
    await dropSnapshots(store, all, drop);
    const { trashed, recovered } = await collect(store, { graceMs: 0, trashMs: HOUR_MS });
    total.trashed += trashed;
    total.back += recovered;
    total.dropped += drop.length;
  }
  expect(await over).toBe(0);
  const left = await store.trusted('demo');
  expect(left.at(-1)?.manifest.snapshot.sequence).toBe(CAPTURES);
  for (const { manifest } of left) for (const chunk of chunksOf(manifest.snapshot)) await store.objects.read(chunk);
  expect(total.dropped).toBeGreaterThan(0);
  expect(total.trashed).toBeGreaterThan(0);
  expect(readdirSync(join(vault.root, 'captures'))).toEqual([]);
}, 60_000);

test('of many who want a lock that a dead process left, one gets it', async () => {
  const path = join(scratch(), 'lock');
  for (let round = 0; round < 20; round++) {
    writeFileSync(path, round % 2 === 0 ? JSON.stringify({ host: 'x', pid: 1 }).slice(0, 9) : '');
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(path, 'a test', 1)));
    const held = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(held).toHaveLength(1);
    await held[0]?.release();
    expect(readdirSync(dirname(path))).toEqual([]);
  }
});
