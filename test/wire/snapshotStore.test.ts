import { chmodSync, closeSync, copyFileSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import type { Candidate } from '../../src/snapshot/choose.ts';
import { manifestText } from '../../src/snapshot/read.ts';
import { collect } from '../../src/store/collect.ts';
import { loadKey, loadTrust, signManifest, trustKey } from '../../src/store/keys.ts';
import { materialize } from '../../src/store/materialize.ts';
import { objectName } from '../../src/store/objects.ts';
import { placesInTree } from '../../src/store/sources.ts';
import { chunksOf } from '../../src/store/store.ts';
import { exportSnapshot, importSnapshot, openExported } from '../../src/store/transfer.ts';
import { openJournal } from '../../src/verify/journal.ts';
import { VerifyPool } from '../../src/verify/pool.ts';
import { levelOf, scratch, Vault, writeFiles } from '../help/vault.ts';

const MIB = 1 << 20;
const noise = (bytes: number, seed: number): Buffer => {
  const random = seededRandom(seed);
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.floor(random() * 2 ** 32);
  return Buffer.from(words.buffer).subarray(0, bytes);
};

let pool: VerifyPool;
let vault: Vault;
let data: string;

beforeAll(() => {
  pool = new VerifyPool(2);
});
afterAll(() => pool.close());
beforeEach(async () => {
  vault = await Vault.open();
  data = writeFiles(scratch(), { 'db/big.sst': noise(9 * MIB, 1), 'db/small.sst': noise(700, 2), 'export.json': Buffer.alloc(2 * MIB, '{"some":"text"},'), empty: '' });
  chmodSync(join(data, 'db/small.sst'), 0o600);
});

const l0 = async (candidate: Candidate, change = {}) => levelOf(await vault.verify(candidate, pool, change), 'L0');
const objectPaths = (candidate: Candidate): string[] => chunksOf(candidate.manifest.snapshot).map((chunk) => vault.store.objects.locate(chunk).path);
/** Objects are written without the right to write. */
const overwrite = (path: string, bytes: Uint8Array): void => {
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
};

describe('capture', () => {
  test.each([false, true])('and back gives the same files (gzip: %s)', async (gzip) => {
    const { candidate, counts } = await vault.capture(data, { gzip });
    expect(counts).toMatchObject({ files: 4, bytes: 11 * MIB + 700 });
    if (gzip) expect(counts.newStoredBytes).toBeLessThan(9.5 * MIB);
    expect(await l0(candidate)).toMatchObject({ verdict: 'proven' });
    const tree = join(scratch(), 'tree');
    await materialize(vault.store.objects, candidate.manifest.snapshot, tree, { isReadOnly: false, onProgress: () => {} });
    for (const path of ['db/big.sst', 'db/small.sst', 'export.json', 'empty']) {
      expect(readFileSync(join(tree, path)).equals(readFileSync(join(data, path)))).toBe(true);
      expect(statSync(join(tree, path)).mode).toBe(statSync(join(data, path)).mode);
    }
  });

  test('an incremental adds only what changed and is a whole view', async () => {
    const full = await vault.capture(data);
    const big = readFileSync(join(data, 'db/big.sst'));
    big[5 * MIB]! ^= 1;
    writeFiles(data, { 'db/big.sst': big, 'db/new.sst': noise(100, 3) });
    rmSync(join(data, 'empty'));
    const { candidate, counts } = await vault.capture(data, { kind: 'incremental' });
    expect(counts).toMatchObject({ newChunks: 2, newStoredBytes: 4 * MIB + 100 });
    expect(candidate.manifest.snapshot).toMatchObject({ sequence: 2, kind: 'incremental', parent: { id: full.candidate.id, sequence: 1 } });
    expect(candidate.manifest.snapshot.files.map(({ path }) => path)).toEqual(['db/big.sst', 'db/new.sst', 'db/small.sst', 'export.json']);
    expect(await l0(candidate)).toMatchObject({ verdict: 'proven' });
    expect(await l0(full.candidate)).toMatchObject({ verdict: 'proven' });
  });

  test('a full one mends what is damaged', async () => {
    const { candidate } = await vault.capture(data);
    const path = objectPaths(candidate)[0]!;
    overwrite(path, noise(4 * MIB, 9));
    expect((await l0(candidate)).verdict).toBe('failed');
    await vault.capture(data);
    expect((await l0(candidate)).verdict).toBe('proven');
  });

  test.each<[string, () => void, string]>([
    ['a secret in a file', () => writeFiles(data, { 'db/notes.txt': `${'a'.repeat(64)}\n` }), 'file db/notes.txt: seems to hold 32 bytes in hex'],
    ['a PEM', () => writeFiles(data, { 'db/x.bin': '-----BEGIN PRIVATE KEY-----\nabc' }), 'file db/x.bin: seems to hold a private key in PEM'],
    ['a link', () => symlinkSync('/etc/hostname', join(data, 'link')), 'file link: is a link'],
    ['a name with a backslash', () => writeFiles(data, { 'a\\b': 'x' }), 'file "a\\\\b": holds a backslash'],
  ])('stops at %s and leaves no snapshot', async (_name, spoil, message) => {
    spoil();
    await expect(vault.capture(data)).rejects.toThrow(message);
    expect(await vault.store.manifests.list()).toEqual([]);
    expect(existsSync(join(vault.root, 'captures', 'demo'))).toBe(false);
  });

  test('leaves secrets and locks out by name and says so', async () => {
    writeFiles(data, { 'geth/nodekey': 'a'.repeat(64), 'geth/LOCK': '', 'keystore/UTC--x': '{}' });
    const { candidate } = await vault.capture(data);
    expect(candidate.manifest.snapshot.excluded).toEqual([
      { path: 'geth/LOCK', reason: 'made anew by the node' },
      { path: 'geth/nodekey', reason: 'secret by its name' },
      { path: 'keystore/UTC--x', reason: 'secret by its name' },
    ]);
  });

  test('one at a time; what a dead process left is taken over', async () => {
    const lock = await vault.store.lockCapture('demo');
    await expect(vault.capture(data)).rejects.toThrow(`process ${process.pid}`);
    await lock.release();
    mkdirSync(join(vault.root, 'captures'), { recursive: true });
    writeFileSync(join(vault.root, 'captures', 'demo'), JSON.stringify({ host: (await import('node:os')).hostname(), pid: process.pid, started: '1', sinceMs: 1, what: 'x' }));
    expect((await vault.capture(data)).candidate.manifest.snapshot.sequence).toBe(1);
  });
});

describe('tampering with a store', () => {
  let good: Candidate;
  beforeEach(async () => {
    good = (await vault.capture(data, { gzip: true })).candidate;
  });
  const listed = async () => (await vault.store.manifests.list()).map(({ problem }) => problem);
  const manifestFile = async () => (await vault.store.manifests.list())[0]!.path;

  test('one bit in each stored object', async () => {
    for (const [i, chunk] of chunksOf(good.manifest.snapshot).entries()) {
      const { path } = vault.store.objects.locate(chunk);
      const bytes = readFileSync(path);
      const at = (i * 7919) % bytes.length;
      bytes[at]! ^= 1 << i % 8;
      overwrite(path, bytes);
      const why = (await l0(good)).why;
      expect(why).toContain(`object ${objectName(chunk)} has other bytes`);
      expect(why).toMatch(/^file .*, chunk \d+: /);
      bytes[at]! ^= 1 << i % 8;
      overwrite(path, bytes);
    }
    expect((await l0(good)).verdict).toBe('proven');
  });

  test('objects swapped, dropped, cut off, lengthened', async () => {
    const [first = '', second = ''] = objectPaths(good);
    const [a, b] = [readFileSync(first), readFileSync(second)];
    overwrite(first, b);
    overwrite(second, a);
    expect((await l0(good)).why).toMatch(/chunk 0: .* has other bytes .*\(and 1 more\)/);
    overwrite(first, a);
    overwrite(second, b);
    truncateSync(second, 1000);
    expect((await l0(good)).why).toContain('is cut off: 1000 of');
    overwrite(second, Buffer.concat([b, Buffer.of(0)]));
    expect((await l0(good)).why).toContain('has 1 bytes more');
    rmSync(second);
    expect((await l0(good)).why).toContain('is missing');
  });

  test('chunks swapped in a manifest that is signed anew', async () => {
    const [file, ...rest] = good.manifest.snapshot.files;
    const [one, two, ...others] = file!.chunks;
    const forged = { ...good.manifest.snapshot, files: [{ ...file!, chunks: [two!, one!, ...others] }, ...rest] };
    expect(await l0({ id: '', manifest: { ...good.manifest, snapshot: forged } })).toMatchObject({ verdict: 'failed', why: expect.stringContaining('snapshot.tree.root: is ') });
  });

  test.each<[string, (text: string) => string, string]>([
    ['a number', (text) => text.replace('"number":10', '"number":11'), 'is not the one its name says'],
    ['what was proven', (text) => text.replace('"verification":null', '"verification":{"atMs":1,"levels":[]}'), 'the manifest was changed'],
    ['the signature', (text) => text.replace(/"value":"./, (start) => `${start.slice(0, -1)}${start.endsWith('0') ? '1' : '0'}`), 'the manifest was changed'],
    ['no signature', (text) => text.replace(/"signatures":\[.*?\]/, '"signatures":[]'), 'it is not signed'],
    ['its form', (text) => ` ${text}`, 'is not in canonical form'],
    ['half of it', (text) => text.slice(0, 300), 'is not JSON'],
  ])('a manifest: %s', async (_name, change, problem) => {
    const path = await manifestFile();
    writeFileSync(path, change(readFileSync(path, 'utf8')));
    expect((await listed())[0]).toContain(problem);
  });

  test('a manifest by an unknown key, and one of another snapshot under its name', async () => {
    const stranger = await loadKey(join(scratch(), 'other.key'));
    const path = await manifestFile();
    writeFileSync(path, manifestText(signManifest(good.manifest, stranger)));
    expect((await listed())[0]).toContain(`key ${stranger.keyId.slice(0, 16)} is not in the trust file`);
    vault.nowMs += 1000;
    const { candidate: next } = await vault.capture(data);
    const nextPath = (await vault.store.manifests.list())[1]!.path;
    writeFileSync(nextPath, manifestText(good.manifest));
    expect((await listed())[1]).toContain('is not the one its name says');
    renameSync(nextPath, nextPath.replace(next.id, good.id));
    expect((await listed())[1]).toContain('is not the one its name says');
  });

  test('10,000 random bits, all found', async () => {
    const random = seededRandom(5);
    const folder = writeFiles(scratch(), { 'a.sst': noise(4000, 1), 'b.sst': noise(3000, 2), 'c.sst': noise(2500, 3) });
    const { candidate } = await vault.capture(folder);
    const tree = join(scratch(), 'tree');
    await materialize(vault.store.objects, candidate.manifest.snapshot, tree, { isReadOnly: false, onProgress: () => {} });
    const { runChunks } = await import('../../src/verify/chunksJob.ts');
    const { leavesOf } = await import('../../src/snapshot/leaves.ts');
    const place = placesInTree(tree, candidate.manifest.snapshot.files);
    const leaves = leavesOf(candidate.manifest.snapshot).map((leaf) => ({ leaf, place: leaf.chunk === null ? null : place(leaf) }));
    const files = candidate.manifest.snapshot.files.map(({ path }) => ({ path, bytes: readFileSync(join(tree, path)), fd: openSync(join(tree, path), 'r+') }));
    const clean = Buffer.from(runChunks({ kind: 'chunks', leaves }).top).toString('hex');
    let found = 0;
    for (let i = 0; i < 10_000; i++) {
      const { path, bytes, fd } = files[Math.floor(random() * files.length)]!;
      const bit = Math.floor(random() * bytes.length * 8);
      writeSync(fd, Uint8Array.of(bytes[bit >> 3]! ^ (1 << (bit & 7))), 0, 1, bit >> 3);
      const { top, problems } = runChunks({ kind: 'chunks', leaves });
      if (problems.length === 1 && problems[0]?.startsWith(`file ${path}, chunk 0`) === true && Buffer.from(top).toString('hex') !== clean) found++;
      writeSync(fd, bytes, bit >> 3, 1, bit >> 3);
    }
    for (const { fd } of files) closeSync(fd);
    expect(found).toBe(10_000);
  }, 60_000);
});

describe('a tree for mounting', () => {
  test('cannot be written to, and is hashed where it lies', async () => {
    const { candidate } = await vault.capture(data);
    const tree = join(scratch(), 'tree');
    await materialize(vault.store.objects, candidate.manifest.snapshot, tree, { isReadOnly: true, onProgress: () => {} });
    expect(statSync(join(tree, 'db/big.sst')).mode & 0o222).toBe(0);
    const change = { place: placesInTree(tree, candidate.manifest.snapshot.files) };
    expect(await l0(candidate, change)).toMatchObject({ verdict: 'proven' });
    const bytes = readFileSync(join(tree, 'db/big.sst'));
    bytes[6 * MIB]! ^= 4;
    overwrite(join(tree, 'db/big.sst'), bytes);
    expect((await l0(candidate, change)).why).toBe(`file db/big.sst, chunk 1: byte ${4 * MIB} on has other bytes than the manifest names`);
  });

  test('a damaged object stops it and leaves nothing', async () => {
    const { candidate } = await vault.capture(data);
    overwrite(objectPaths(candidate)[1]!, noise(4 * MIB, 8));
    const tree = join(scratch(), 'tree');
    await expect(materialize(vault.store.objects, candidate.manifest.snapshot, tree, { isReadOnly: false, onProgress: () => {} })).rejects.toThrow('its stored bytes are not those of the manifest');
    expect(existsSync(tree)).toBe(false);
  });
});

describe('collection', () => {
  const rules = { graceMs: 1000, trashMs: 5000 };
  const round = (afterMs: number) => {
    vault.nowMs += afterMs;
    return collect(vault.store, rules);
  };
  const dropFirst = async () => vault.store.manifests.remove((await vault.store.trusted('demo'))[0]!);
  const objectCount = async () => (await vault.store.objects.list()).objects.length;

  test('takes what nothing needs, in three rounds, and nothing else', async () => {
    await vault.capture(data);
    writeFiles(data, { 'db/big.sst': noise(9 * MIB, 4) });
    vault.nowMs = Date.now() + 1000;
    const { candidate } = await vault.capture(data, { kind: 'incremental' });
    const before = await objectCount();
    await dropFirst();
    expect(await round(10_000)).toEqual({ marked: 3, trashed: 0, recovered: 0, removed: 0 });
    expect(await round(500)).toMatchObject({ trashed: 0 });
    expect(await round(1000)).toMatchObject({ trashed: 3 });
    expect(await round(6000)).toMatchObject({ removed: 3 });
    expect(await objectCount()).toBe(before - 3);
    expect((await l0(candidate)).verdict).toBe('proven');
    expect(await round(100_000)).toEqual({ marked: 0, trashed: 0, recovered: 0, removed: 0 });
  });

  test('a capture takes back what is in the trash', async () => {
    await vault.capture(data);
    await dropFirst();
    vault.nowMs = Date.now();
    await round(10_000);
    expect((await round(2000)).trashed).toBeGreaterThan(2);
    const { candidate } = await vault.capture(data);
    expect((await l0(candidate)).verdict).toBe('proven');
    expect(await round(6000)).toMatchObject({ recovered: 0, trashed: 0 });
    expect((await l0(candidate)).verdict).toBe('proven');
  });

  test('leaves alone what a capture under way uses, and waits while a manifest cannot be read', async () => {
    await vault.capture(data);
    await dropFirst();
    vault.nowMs = Date.now() - 60_000;
    const lock = await vault.store.lockCapture('other');
    vault.nowMs = Date.now() + 10_000;
    expect(await round(0)).toMatchObject({ marked: 0 });
    await lock.release();
    expect((await round(0)).marked).toBeGreaterThan(2);
    writeFiles(vault.root, { [`manifests/demo/00000009-${'a'.repeat(64)}.json`]: '{' });
    await expect(round(2000)).rejects.toThrow('nothing is collected while it is there');
  });

  test('sweeps what a crash left half written', async () => {
    const { candidate } = await vault.capture(data);
    const folder = join(objectPaths(candidate)[0]!, '..');
    copyFileSync(objectPaths(candidate)[0]!, join(folder, 'x.partial'));
    vault.nowMs = Date.now() + 10_000;
    await round(0);
    expect(readdirSync(folder)).not.toContain('x.partial');
  });
});

describe('travel', () => {
  test('a whole snapshot, or its proof alone', async () => {
    const proof = writeFiles(scratch(), { 'blocks.ndjson': '{}\n' });
    const { candidate } = await vault.capture(data, { proofDirectory: proof });
    const [whole, light] = [join(scratch(), 'a'), join(scratch(), 'b')];
    await exportSnapshot(vault.store, candidate, whole, false);
    await exportSnapshot(vault.store, candidate, light, true);
    const keys = [{ ...vault.key, isRevoked: false }];
    expect(await openExported(whole, keys)).toMatchObject({ problem: null, isProofOnly: false });
    expect(await openExported(light, keys)).toMatchObject({ problem: null, isProofOnly: true });
    expect((await openExported(light, [])).problem).toContain('is not in the trust file');
    const other = await Vault.open();
    const there = new (vault.store.constructor as typeof import('../../src/store/store.ts').SnapshotStore)({ root: other.root, keys: () => keys, nowMs: () => 1 });
    await expect(importSnapshot(there, await openExported(light, keys))).rejects.toThrow('the proof only');
    expect((await importSnapshot(there, await openExported(whole, keys))).id).toBe(candidate.id);
    expect((await there.trusted('demo')).map(({ id }) => id)).toEqual([candidate.id]);
    await expect(exportSnapshot(vault.store, candidate, whole, false)).rejects.toThrow('is not empty');
  });
});

describe('keys', () => {
  test('are made once, for their owner only', async () => {
    const path = join(scratch(), 'keys', 'snapshot.key');
    const made = await loadKey(path);
    expect(made.isNew).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await loadKey(path)).toMatchObject({ keyId: made.keyId, isNew: false });
    chmodSync(path, 0o644);
    await expect(loadKey(path)).rejects.toThrow('its mode must be 0600');
  });

  test('are one where several begin at once', async () => {
    const path = join(scratch(), 'keys', 'snapshot.key');
    const made = await Promise.all(Array.from({ length: 8 }, () => loadKey(path)));
    expect(new Set(made.map(({ keyId }) => keyId)).size).toBe(1);
    expect(made.filter(({ isNew }) => isNew)).toHaveLength(1);
  });

  test('are trusted once', async () => {
    const path = join(scratch(), 'trust.json');
    expect(await loadTrust(path)).toEqual([]);
    expect(await trustKey(path, vault.key)).toBe(true);
    expect(await trustKey(path, vault.key)).toBe(false);
    expect(await loadTrust(path)).toEqual([{ keyId: vault.key.keyId, publicKey: vault.key.publicKey, isRevoked: false }]);
    writeFileSync(path, JSON.stringify([{ keyId: vault.key.keyId, publicKey: 'a'.repeat(64), isRevoked: false }]));
    await expect(loadTrust(path)).rejects.toThrow('keyId of entry 0 is not that of its publicKey');
  });
});

test('a verification that was cut short goes on where it ended', async () => {
  const { candidate } = await vault.capture(writeFiles(scratch(), Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, noise(5000, i)]))));
  const folder = scratch();
  const half = openJournal(folder, candidate.id, Date.now());
  let runs = 0;
  const cut = new AbortController();
  await expect(vault.verify(candidate, pool, { signal: cut.signal, journal: { ...half, add: (run, top) => { half.add(run, top); if (++runs === 2) cut.abort(); } } })).rejects.toThrow();
  const rest = openJournal(folder, candidate.id, Date.now());
  const record = await l0(candidate, { journal: rest });
  expect(record.verdict).toBe('proven');
  expect(record.counts['resumedRuns']).toBeGreaterThanOrEqual(2);
  expect(record.counts['bytes']).toBeLessThan(200_000);
  rest.finish();
  expect((await l0(candidate, { journal: openJournal(folder, candidate.id, Date.now()) })).counts['resumedRuns']).toBe(0);
});
