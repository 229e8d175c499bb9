import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { capture } from '../../src/store/capture.ts';
import { collect } from '../../src/store/collect.ts';
import { copyDirectory, listCopies, takeCopy } from '../../src/store/dataCopy.ts';
import { StoreFault } from '../../src/store/fault.ts';
import { materialize } from '../../src/store/materialize.ts';
import { retentionOf } from '../../src/store/prune.ts';
import { chunksOf, SnapshotStore } from '../../src/store/store.ts';
import { captureDue } from '../../src/snapshot/due.ts';
import { needsRoot } from '../help/require.ts';
import { scratch, Vault, writeFiles } from '../help/vault.ts';

const MIB = 1 << 20;
const DAY_MS = 86_400_000;
const noise = (bytes: number, seed: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  let at = seed + 1;
  for (let i = 0; i < bytes; i += 4) {
    at = Math.imul(at ^ (at >>> 15), 0x2c1b3c6d) + i;
    buffer.writeInt32LE(at | 0, i);
  }
  return buffer;
};

const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0).reverse()) one();
});

/** A file system of its own in memory. */
const smallDisk = (mib: number): { readonly path: string; readonly setReadOnly: (isReadOnly: boolean) => void } => {
  const path = mkdtempSync(join(tmpdir(), 'tidegate-small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', path]);
  undo.push(() => {
    execFileSync('umount', [path]);
    rmSync(path, { recursive: true });
  });
  return { path, setReadOnly: (isReadOnly) => void execFileSync('mount', ['-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, path]) };
};

const storeAt = (vault: Vault, root: string): SnapshotStore => new SnapshotStore({ root, keys: () => [{ ...vault.key, isRevoked: false }], nowMs: () => vault.nowMs });
const take = async (vault: Vault, store: SnapshotStore, directory: string) =>
  capture(store, { chain: 'demo', clientKind: 'other', directory, prove: () => Promise.resolve({ facts: Vault.facts, proofDirectory: null }), kind: 'incremental', gzip: false, key: vault.key, onProgress: () => undefined });
const wholeOf = async (store: SnapshotStore): Promise<number> => {
  const all = await store.trusted('demo');
  for (const { manifest } of all) for (const chunk of chunksOf(manifest.snapshot)) await store.objects.read(chunk);
  return all.length;
};
const codeOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', (error: unknown) => (error instanceof StoreFault ? `${error.code}: ${error.message}` : String(error)));

describe.skipIf(!needsRoot())('disks (needs root)', () => {
  test('a full one: the capture is refused with the path, the snapshots before it stay whole, and what it left makes room again', async () => {
    const vault = await Vault.open();
    vault.nowMs = Date.now() + 1000;
    const disk = smallDisk(12);
    const store = storeAt(vault, join(disk.path, 'store'));
    await take(vault, store, writeFiles(scratch(), { 'a.sst': noise(3 * MIB, 1) }));
    const told = await codeOf(take(vault, store, writeFiles(scratch(), { 'a.sst': noise(3 * MIB, 1), 'b.sst': noise(20 * MIB, 2) })));
    expect(told).toMatch(/^ENOSPC: .*: the disk is full$/);
    expect(await wholeOf(store)).toBe(1);
    expect(await store.captureSinceMs()).toBeNull();
    for (let i = 0; i < 4; i++) {
      vault.nowMs += 10_000;
      await collect(store, { graceMs: 0, trashMs: 0 });
    }
    await take(vault, store, writeFiles(scratch(), { 'a.sst': noise(3 * MIB, 1), 'c.sst': noise(6 * MIB, 3) }));
    expect(await wholeOf(store)).toBe(2);
  });

  test('a full one beside the node: no copy, nothing left, the data as it was', async () => {
    const disk = smallDisk(12);
    const data = writeFiles(join(disk.path, 'node'), { 'a.sst': noise(8 * MIB, 1) });
    const about = { operationId: 'capture-a-1', node: 'a', chain: 'demo', kind: 'full', why: '', copiedAtMs: 1 } as const;
    expect(await codeOf(takeCopy(data, about, copyDirectory(data, 'other')))).toMatch(/^ENOSPC: .* a copy needs \d+ bytes, \d+ are free$/);
    expect(execFileSync('ls', [disk.path], { encoding: 'utf8' })).toBe('node\n');
    expect(await listCopies(data)).toEqual([]);
  });

  test('a read-only one: snapshots are read, restored and hashed; whatever would write says so', async () => {
    const vault = await Vault.open();
    const disk = smallDisk(12);
    const store = storeAt(vault, join(disk.path, 'store'));
    const data = writeFiles(scratch(), { 'a.sst': noise(3 * MIB, 1) });
    const { candidate } = await take(vault, store, data);
    disk.setReadOnly(true);
    expect(await wholeOf(store)).toBe(1);
    await materialize(store.objects, candidate.manifest.snapshot, join(scratch(), 'node'), { isReadOnly: false, onProgress: () => undefined });
    const writing = [() => take(vault, store, data), () => collect(store, { graceMs: 0, trashMs: 0 }), () => store.trees.build(candidate, () => undefined), () => store.trees.pin(candidate.id, 'a')];
    for (const work of writing) {
      expect(await codeOf(work())).toMatch(/^EROFS: .*: the file system is read-only$/);
    }
    disk.setReadOnly(false);
    expect((await take(vault, store, data)).candidate.manifest.snapshot.sequence).toBe(2);
  });
});

describe('a clock that jumps', () => {
  const schedule = { everyMs: 3_600_000, fullEveryMs: 7 * DAY_MS };
  const keep = { last: 2, hourly: 2, daily: 2, weekly: 1, monthly: 1 };

  test.each([['back by a year', -365 * DAY_MS], ['forward by a year', 365 * DAY_MS]])('%s: captures go on in their order, none is dropped for it, none is taken twice', async (_, jumpMs) => {
    const vault = await Vault.open();
    const data = scratch();
    const due = async () => captureDue((await vault.store.trusted('demo')).map(({ manifest }) => manifest.snapshot), schedule, vault.nowMs);
    const next = async (i: number): Promise<void> => {
      writeFileSync(join(data, 'a.sst'), `${i}`);
      await vault.capture(data, { kind: (await due()) ?? 'incremental' });
      expect(await due()).toBeNull();
    };
    for (let i = 0; i < 3; i++, vault.nowMs += schedule.everyMs) await next(i);
    vault.nowMs += jumpMs;
    expect(await due()).not.toBeNull();
    for (let i = 3; i < 6; i++, vault.nowMs += schedule.everyMs) await next(i);
    const all = await vault.store.trusted('demo');
    expect(all.map(({ manifest }) => manifest.snapshot.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    const plan = await retentionOf(vault.store, all, { levels: [] }, keep);
    expect(plan.drop).not.toContain(all[5]?.id);
    expect(plan.drop).not.toContain(all[4]?.id);
    for (let i = 0; i < 3; i++) await collect(vault.store, { graceMs: 0, trashMs: 0 });
    expect(await wholeOf(vault.store)).toBe(6);
  });
});

test('two controllers on one store by mistake: one captures at a time, the other is told who does, and both snapshots are whole', async () => {
  const vault = await Vault.open();
  const other = storeAt(vault, vault.root);
  const data = writeFiles(scratch(), { 'a.sst': noise(9 * MIB, 1) });
  const [first, second] = await Promise.all([codeOf(vault.capture(data)), codeOf(take(vault, other, data))]);
  const refused = [first, second].filter((told) => told !== 'done');
  expect(refused).toEqual([expect.stringMatching(new RegExp(`^locked: .*process ${process.pid} .*a capture of demo`))]);
  expect((await take(vault, other, data)).candidate.manifest.snapshot.sequence).toBe(2);
  const [one, two] = await Promise.all([codeOf(collect(vault.store, { graceMs: 0, trashMs: 0 })), codeOf(collect(other, { graceMs: 0, trashMs: 0 }))]);
  expect([one, two].filter((told) => told !== 'done' && !/^locked: .*a collection/.test(told))).toEqual([]);
  expect(await wholeOf(other)).toBe(2);
});
