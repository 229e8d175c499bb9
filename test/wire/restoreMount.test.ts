import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Candidate } from '../../src/snapshot/choose.ts';
import { dataState } from '../../src/store/dataNames.ts';
import { discardData, readyData, swapBack, swapData } from '../../src/store/dataSwap.ts';
import { StoreFault } from '../../src/store/fault.ts';
import { layerOf, unmountLayer } from '../../src/store/layer.ts';
import { mountOverlay, unmount } from '../../src/store/mounting.ts';
import { mountAt, parseMounts } from '../../src/store/mountTable.ts';
import { stageData, type StageRequest } from '../../src/store/staging.ts';
import { SnapshotStore } from '../../src/store/store.ts';
import { dropTrialCopy, makeTrialCopy } from '../../src/store/trialCopy.ts';
import { type LoopDisk, loopDisk } from '../help/loopDisk.ts';
import { needs, needsRoot } from '../help/require.ts';
import { scratch, Vault, writeFiles } from '../help/vault.ts';

const OP = 'restore-a-17';
let vault: Vault;
let candidate: Candidate;
let dataDir: string;
const undo: (() => Promise<void> | void)[] = [];

const open = async (root: string): Promise<void> => {
  vault = await Vault.open();
  const facts = { ...Vault.facts, client: { kind: 'geth', version: '1' } };
  candidate = (await vault.capture(writeFiles(scratch(), { 'geth/chaindata/CURRENT': 'M', 'geth/chaindata/1.sst': 'new' }), { facts })).candidate;
  dataDir = join(mkdtempSync(join(root, 'tidegate-mount-')), 'node');
  writeFiles(dataDir, { 'geth/chaindata/1.sst': 'old', 'geth/nodekey': 'its own' });
};
beforeEach(() => open(tmpdir()));
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
  for (const name of existsSync(dirname(dataDir)) ? readdirSync(dirname(dataDir)) : []) await unmountLayer(join(dirname(dataDir), name));
});

const request = (method: StageRequest['method'] = 'auto', operation = OP): StageRequest => ({ candidate, dataDir, operation, node: 'a', method });
const swap = (operation = OP) => swapData(dataDir, { operation, from: 'snapshot', clientKind: 'geth' });
const live = (path: string): string | null => (existsSync(join(dataDir, path)) ? readFileSync(join(dataDir, path), 'utf8') : null);
const names = (): string[] => readdirSync(dirname(dataDir)).sort();
const bytesOf = (folder: string): string => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name)).sort().map((path) => `${path}\n${readFileSync(path, 'latin1')}`).join('\n');
/** Stages, changes every file of the copy for a trial meanwhile, and tells whether the staged data stayed as it was. */
const tried = async (method: StageRequest['method'], copyBytes: number): Promise<unknown> => {
  const { files } = candidate.manifest.snapshot;
  let outcome: unknown = null;
  const finish = async (staged: string): Promise<void> => {
    const before = bytesOf(staged);
    const place = { dataDir, operation: OP };
    const copy = await makeTrialCopy({ ...place, staged, files, copyBytes });
    if ('directory' in copy) for (const { path } of files) writeFileSync(join(copy.directory, path), 'by the trial', { flag: 'r+' });
    const seen = 'directory' in copy ? files.map(({ path }) => readFileSync(join(copy.directory, path), 'utf8').slice(0, 12)) : copy.why;
    await dropTrialCopy(place);
    outcome = { seen, isSame: bytesOf(staged) === before, names: names().filter((name) => name.includes('.trial')) };
  };
  await stageData(vault.store, { ...request(method), finish });
  return outcome;
};
const restored = async (operation = OP): Promise<void> => {
  await stageData(vault.store, request('mount', operation));
  await swap(operation);
  await readyData(dataDir);
};

test('the table of mounts is read with its escapes', () => {
  const line = '44 27 0:39 / /data\\040of/node rw,relatime shared:3 - overlay tidegate-op rw,lowerdir=/a\\134b,upperdir=/u,redirect_dir=on';
  expect(parseMounts(`${line}\n`)).toEqual([{ point: '/data of/node', type: 'overlay', source: 'tidegate-op', options: new Map([['rw', ''], ['lowerdir', '/a\\b'], ['upperdir', '/u'], ['redirect_dir', 'on']]) }]);
});

describe.skipIf(!needsRoot())('a mounted restore (needs root)', () => {
  beforeEach(async () => void (await vault.store.trees.build(candidate, () => {})));

  test('shows the snapshot and the keys of the node; writes stay above; the tree is pinned', async () => {
    const { path } = (await vault.store.trees.find('demo', candidate.id))!;
    expect(await stageData(vault.store, request())).toEqual({ method: 'mount', passed: [] });
    expect(await stageData(vault.store, request())).toBeNull();
    expect(live('geth/chaindata/1.sst')).toBe('old');
    await swap();
    expect(live('geth/chaindata/1.sst')).toBeNull();
    expect(await readyData(dataDir)).toMatchObject({ operation: OP, snapshotId: candidate.id, lower: path });
    expect([live('geth/chaindata/1.sst'), live('geth/nodekey')]).toEqual(['new', 'its own']);
    writeFileSync(join(dataDir, 'geth/chaindata/1.sst'), 'changed');
    renameSync(join(dataDir, 'geth/chaindata'), join(dataDir, 'geth/moved'));
    expect([readFileSync(join(path, 'geth/chaindata/1.sst'), 'utf8'), live('geth/moved/1.sst')]).toEqual(['new', 'changed']);
    expect(await vault.store.trees.mountsOf(candidate.id)).toHaveLength(1);
    await expect(vault.store.trees.drop('demo', candidate.id)).rejects.toThrow('mounted by node a');
  });

  test('is tried on a second overlay: what the trial writes stays in it, and the tree is as it was', async () => {
    const { path } = (await vault.store.trees.find('demo', candidate.id))!;
    expect(await tried('mount', 0)).toEqual({ seen: ['by the trial', 'by the trial'], isSame: true, names: [] });
    expect(readFileSync(join(path, 'geth/chaindata/1.sst'), 'utf8')).toBe('new');
    await swap();
    await readyData(dataDir);
    expect(live('geth/chaindata/1.sst')).toBe('new');
  });

  test('after a reboot the bare mount point is mounted again before a start, with the writes of the node', async () => {
    await restored();
    writeFileSync(join(dataDir, 'written'), 'since');
    await unmount(dataDir);
    expect(live('written')).toBeNull();
    expect(await readyData(dataDir)).toMatchObject({ operation: OP });
    expect(live('written')).toBe('since');
    expect(await readyData(dataDir)).toMatchObject({ operation: OP });
  });

  test('no start on a bare mount point whose tree is gone, whose upper is of another, or on the mount of somebody else', async () => {
    await restored();
    const { lower } = (await layerOf(dataDir))!;
    await unmount(dataDir);
    renameSync(lower, `${lower}.away`);
    await expect(readyData(dataDir)).rejects.toThrow(`the tree of snapshot ${candidate.id.slice(0, 12)} is gone`);
    renameSync(`${lower}.away`, lower);
    const seen = join(dataDir, '.tidegate-upper/.tidegate-layer.json');
    const text = readFileSync(seen, 'utf8');
    writeFileSync(seen, text.replace(OP, 'restore-b-1'));
    await expect(readyData(dataDir)).rejects.toThrow('is of another restore');
    writeFileSync(seen, text);
    const other = writeFiles(scratch(), { 'geth/chaindata/1.sst': 'wrong' });
    mkdirSync(join(dataDir, 'w'));
    await mountOverlay(dataDir, { source: 'tidegate-other', lower: other, upper: join(dataDir, '.tidegate-upper'), work: join(dataDir, 'w') });
    undo.push(() => unmount(dataDir));
    await expect(readyData(dataDir)).rejects.toThrow('tidegate-other');
    expect(live('geth/chaindata/1.sst')).toBe('wrong');
  });

  test('taken back: the old data is whole; a second restore has a new upper, and the first goes with it', async () => {
    await restored();
    writeFileSync(join(dataDir, 'mark'), 'of the first');
    await swapBack(dataDir, OP);
    expect([live('geth/chaindata/1.sst'), live('mark'), await mountAt(dataDir), names()]).toEqual(['old', null, null, ['node']]);
    await restored('restore-a-18');
    writeFileSync(join(dataDir, 'mark'), 'of the second');
    await restored('restore-a-19');
    expect([live('mark'), live('geth/nodekey')]).toEqual([null, 'its own']);
    await swapBack(dataDir, 'restore-a-19');
    expect(await readyData(dataDir)).toMatchObject({ operation: 'restore-a-18' });
    expect(live('mark')).toBe('of the second');
    await discardData(dataDir);
    expect(names()).toEqual(['node']);
    const { lower } = (await layerOf(dataDir))!;
    expect(readFileSync(join(lower, 'geth/chaindata/1.sst'), 'utf8')).toBe('new');
  });

  test('data that is in use is not moved; the refusal names the process, and the next try goes on', async () => {
    await restored();
    const user = spawn('sleep', ['1000'], { cwd: dataDir, stdio: 'ignore' });
    const over = once(user, 'exit');
    await once(user, 'spawn');
    await stageData(vault.store, request('mount', 'restore-a-18'));
    await expect(swap('restore-a-18')).rejects.toThrow(`process ${user.pid} uses it`);
    expect(live('geth/chaindata/1.sst')).toBe('new');
    user.kill('SIGKILL');
    await over;
    await swap('restore-a-18');
    expect(dataState(dataDir).swapped).toBe('restore-a-18');
  });

  test('where no tree is kept, or it is damaged, the chunks are copied', async () => {
    const tree = (await vault.store.trees.find('demo', candidate.id))!;
    await vault.store.trees.note({ ...tree, problem: 'file x, chunk 0: other bytes' });
    const staged = await stageData(vault.store, request());
    expect(staged?.method).toBe('copy');
    expect(staged?.passed).toEqual([expect.stringContaining('mount: '), expect.stringContaining('reflink: ')]);
    await expect(stageData(vault.store, request('mount', 'restore-a-18'))).rejects.toThrow('is damaged: file x');
  });

  test('a data directory that is the root of a file system is refused before anything is stopped', async () => {
    const own = scratch();
    for (const name of ['lower', 'upper', 'work']) mkdirSync(join(own, name));
    await mountOverlay(dataDir, { source: 'disk', lower: join(own, 'lower'), upper: join(own, 'upper'), work: join(own, 'work') });
    undo.push(() => unmount(dataDir));
    await expect(stageData(vault.store, request())).rejects.toThrow(`${dataDir}: is where disk is mounted`);
  });
});

describe('a copied restore', () => {
  test('is tried on a second copy, the first stays as it was hashed', async () => {
    expect(await tried('copy', 1 << 20)).toEqual({ seen: ['by the trial', 'by the trial'], isSame: true, names: [] });
    await swap();
    expect(live('geth/chaindata/1.sst')).toBe('new');
  });

  test('refused by what must be passed before it counts: nothing is left beside the live data, which is as it was', async () => {
    const finish = (): Promise<void> => Promise.reject(new StoreFault('refused', 'it does not boot'));
    await expect(stageData(vault.store, { ...request('copy'), finish })).rejects.toThrow('it does not boot');
    expect([names(), live('geth/chaindata/1.sst')]).toEqual([['node'], 'old']);
  });
});

describe.each(['btrfs', 'xfs'] as const)('on %s', (type) => {
  describe.skipIf(!needs(`mkfs.${type}`) || !needs('mount') || !needsRoot())(`(needs mkfs.${type}, mount, root)`, () => {
    let disk: LoopDisk;
    beforeEach(async () => {
      disk = loopDisk(type, type === 'xfs' ? 320 : 128);
      undo.push(() => disk.dispose());
      await open(disk.path);
      const root = join(disk.path, 'store');
      const store = new SnapshotStore({ root, keys: () => [{ ...vault.key, isRevoked: false }], nowMs: () => 1 });
      vault = Object.assign(Object.create(Vault.prototype) as Vault, { root, key: vault.key, nowMs: 1, store });
      candidate = (await vault.capture(writeFiles(scratch(), { 'mdbx.dat': Buffer.alloc(20 << 20, 'pages of a database '), 'ro.cfg': 'x' }))).candidate;
      await vault.store.trees.build(candidate, () => {});
    });

    test('is tried on shared blocks, whatever a copy may take; what the trial writes stays apart', async () => {
      expect(await tried('reflink', 0)).toEqual({ seen: ['by the trial', 'by the trial'], isSame: true, names: [] });
    });

    test('blocks are shared, and what is written stays apart', async () => {
      expect(await stageData(vault.store, request())).toEqual({ method: 'reflink', passed: [] });
      await swap();
      expect(await readyData(dataDir)).toBeNull();
      writeFileSync(join(dataDir, 'mdbx.dat'), 'mine', { flag: 'r+' });
      const tree = (await vault.store.trees.find('demo', candidate.id))!;
      expect(readFileSync(join(tree.path, 'mdbx.dat')).subarray(0, 5).toString()).toBe('pages');
      expect(readFileSync(join(dataDir, 'mdbx.dat')).subarray(0, 8).toString()).toBe('mines of');
    });

    // btrfs gives room back in its own time
    if (type === 'xfs') test('a disk that is full while data is staged: refused by name, nothing is left, the live data is as it was', async () => {
      const filler = join(disk.path, 'filler');
      await new Promise((done) => spawn('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1M'], { stdio: 'ignore' }).once('exit', done));
      await expect(stageData(vault.store, request('copy'))).rejects.toThrow(/the disk is full|bytes are needed/);
      expect([names(), live('geth/chaindata/1.sst')]).toEqual([['node'], 'old']);
      truncateSync(filler); // xfs gives back what was removed only later
      expect((await stageData(vault.store, request('copy')))?.method).toBe('copy');
    });
  });
});

describe.skipIf(!needsRoot())('ext4 or what /tmp is on (needs root)', () => {
  test('a forced way that is closed is an error, not a copy', async () => {
    await vault.store.trees.build(candidate, () => {});
    const away = mkdtempSync('/dev/shm/tidegate-mount-');
    undo.push(() => rmSync(away, { recursive: true, force: true }));
    const elsewhere = { ...request('reflink'), dataDir: join(away, 'node') };
    await expect(stageData(vault.store, elsewhere)).rejects.toThrow(/node\.tidegate-staged/);
    expect(readdirSync(away)).toEqual([]);
    expect((await stageData(vault.store, { ...elsewhere, method: 'auto' }))?.method).not.toBe('reflink');
    await discardData(elsewhere.dataDir);
    dataDir = elsewhere.dataDir;
    expect(await tried('copy', 3)).toEqual({ seen: 'its 4 bytes would have to be copied, 3 are allowed (snapshots.restore.trialCopyBytes)', isSame: true, names: [] });
  });
});
