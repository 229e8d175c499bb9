import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import type { Candidate } from '../../src/snapshot/choose.ts';
import { dataState } from '../../src/store/dataNames.ts';
import { discardData, readyData, swapBack, swapData } from '../../src/store/dataSwap.ts';
import { bareLayer, layerOf, unmountLayer } from '../../src/store/layer.ts';
import { parseMounts } from '../../src/store/mountTable.ts';
import { stageData } from '../../src/store/staging.ts';
import { SnapshotStore } from '../../src/store/store.ts';
import { loopDisk } from '../help/loopDisk.ts';
import { builtProgram } from '../help/program.ts';
import { needs, needsRoot } from '../help/require.ts';
import { scratch, Vault, writeFiles } from '../help/vault.ts';

const OP = 'restore-a-17';
const MOST_CALLS = 400;
const OLD = { 'geth/chaindata/1.sst': 'old', 'geth/nodekey': 'its own' };
const SNAPSHOT = { 'geth/chaindata/1.sst': 'new', 'geth/chaindata/CURRENT': 'M' };
const NEW = { ...SNAPSHOT, 'geth/nodekey': 'its own' };

/** A restore with a trial that writes to its copy, a start, and the way back: ends itself by SIGKILL before its n-th change of the file system or of the mounts. */
const script = (dist: string): string => `
import fs from 'node:fs';
import cp from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
const [root, key, id, dataDir, nth, method] = process.argv.slice(2);
let left = Number(nth);
const count = (holder, name) => {
  const real = holder[name];
  holder[name] = (...args) => {
    if (left-- === 0) process.kill(process.pid, 'SIGKILL');
    return real(...args);
  };
};
for (const name of ['mkdir', 'rename', 'rm', 'copyFile', 'chmod', 'open', 'writeFile']) count(fs.promises, name);
count(cp, 'execFile');
syncBuiltinESMExports();
const at = (file) => import(${JSON.stringify(dist)} + file);
const { SnapshotStore } = await at('store/store.js');
const { stageData } = await at('store/staging.js');
const { readyData, swapData, swapBack } = await at('store/dataSwap.js');
const { makeTrialCopy, dropTrialCopy } = await at('store/trialCopy.js');
const store = new SnapshotStore({ root, keys: () => [{ ...JSON.parse(key), isRevoked: false }], nowMs: () => 1 });
const candidate = (await store.trusted('demo')).find((one) => one.id === id);
const place = { dataDir, operation: '${OP}' };
const finish = async (staged) => {
  const { directory } = await makeTrialCopy({ ...place, staged, files: candidate.manifest.snapshot.files, copyBytes: 0 });
  await fs.promises.writeFile(directory + '/geth/chaindata/1.sst', 'by the trial', { flag: 'r+' });
  await dropTrialCopy(place);
};
await stageData(store, { candidate, ...place, node: 'a', method, finish });
await swapData(dataDir, { operation: '${OP}', from: 'snapshot', clientKind: 'geth' });
await readyData(dataDir);
await fs.promises.writeFile(dataDir + '/geth/chaindata/1.sst', 'by the node', { flag: 'r+' });
await swapBack(dataDir, '${OP}');
`;

/** Files of a data directory, but what tells of the restore itself; null = it is not there. */
const contents = (folder: string): Record<string, string> | null => {
  if (!existsSync(folder)) return null;
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name)).sort();
  return Object.fromEntries(paths.filter((path) => !basename(path).startsWith('.tidegate')).map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]));
};
const mountsBelow = (folder: string): string[] => parseMounts(readFileSync('/proc/self/mountinfo', 'utf8')).map(({ point }) => point).filter((point) => point.startsWith(`${folder}/`));

const WRITTEN = { ...NEW, 'geth/chaindata/1.sst': 'by the node' };
const WHOLE = [OLD, NEW, WRITTEN].map((one) => JSON.stringify(one));
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

interface World {
  readonly store: SnapshotStore;
  readonly key: string;
  readonly candidate: Candidate;
  readonly root: string;
}

const open = async (root: string): Promise<World> => {
  const made = await Vault.open();
  const store = new SnapshotStore({ root: join(root, 'store'), keys: () => [{ ...made.key, isRevoked: false }], nowMs: () => 1 });
  const vault = Object.assign(Object.create(Vault.prototype) as Vault, { root: store.root, key: made.key, nowMs: 1, store });
  const facts = { ...Vault.facts, client: { kind: 'geth', version: '1' } };
  const { candidate } = await vault.capture(writeFiles(scratch(), SNAPSHOT), { facts });
  await store.trees.build(candidate, () => {});
  const { keyId, publicKey } = made.key;
  return { store, key: JSON.stringify({ keyId, publicKey }), candidate, root };
};

/** Kills at every sub-step; after each a start finds whole data, and the restore goes on, back, or is dropped, with nothing left behind. */
async function killedEverywhere({ store, key, candidate, root }: World, method: 'mount' | 'reflink', stride = 1): Promise<number> {
  const program = join(scratch(), 'run.mjs');
  writeFileSync(program, script(pathToFileURL(join(dirname(builtProgram()), '/')).href));
  const { path: tree } = (await store.trees.find('demo', candidate.id))!;
  for (let nth = 0; nth < MOST_CALLS; nth += stride) {
    const place = mkdtempSync(join(root, 'at-'));
    const dataDir = writeFiles(join(place, 'node'), OLD);
    undo.push(() => unmountLayer(dataDir));
    const { signal, status, stderr } = spawnSync(process.execPath, [program, store.root, key, candidate.id, dataDir, String(nth), method], { encoding: 'utf8' });
    expect([signal ?? status, signal === null ? stderr : '']).toEqual([signal === null ? 0 : 'SIGKILL', '']);
    const isBare = (await bareLayer(dataDir)) !== null;
    if (existsSync(dataDir) && !isBare) expect(WHOLE).toContain(JSON.stringify(contents(dataDir)));
    expect(contents(tree)).toEqual(SNAPSHOT);
    if (signal === null) {
      expect([contents(dataDir), readdirSync(place), mountsBelow(place)]).toEqual([OLD, ['node'], []]);
      return nth;
    }
    // what a start would find
    if (nth % 2 === 0 || isBare) await readyData(dataDir);
    if (nth % 2 === 0 || isBare) expect(WHOLE).toContain(JSON.stringify(contents(dataDir)));
    const { swapped, kept } = dataState(dataDir);
    if (nth % 3 === 0 && (kept !== null || existsSync(`${dataDir}.tidegate-staged-${OP}`))) {
      if (kept !== null) await swapBack(dataDir, OP);
      await discardData(dataDir);
      expect([contents(dataDir), readdirSync(place), mountsBelow(place)]).toEqual([OLD, ['node'], []]);
      continue;
    }
    if (nth % 3 === 1 && kept === null) {
      await discardData(dataDir);
      expect([contents(dataDir), readdirSync(place), mountsBelow(place)]).toEqual([OLD, ['node'], []]);
      continue;
    }
    if (swapped !== OP) await stageData(store, { candidate, dataDir, operation: OP, node: 'a', method });
    await swapData(dataDir, { operation: OP, from: 'snapshot', clientKind: 'geth' });
    await readyData(dataDir);
    expect([JSON.stringify(NEW), JSON.stringify(WRITTEN)]).toContain(JSON.stringify(contents(dataDir)));
    expect(contents(`${dataDir}.tidegate-old-${OP}`)).toEqual(OLD);
    expect((await layerOf(dataDir))?.snapshotId).toBe(method === 'mount' ? candidate.id : undefined);
    await discardData(dataDir);
    expect([readdirSync(place), mountsBelow(place)]).toEqual([['node'], method === 'mount' ? [dataDir] : []]);
    expect(contents(tree)).toEqual(SNAPSHOT);
    await unmountLayer(dataDir);
  }
  throw new Error('it never came to its end');
}

describe.skipIf(!needsRoot())('killed before each change of files and mounts, with a trial, a start and the way back (needs root)', () => {
  test('by mount: no start on a bare mount point, no mount, upper folder or staged data left', async () => {
    const root = mkdtempSync(join(tmpdir(), 'tidegate-mountCrash-'));
    mkdirSync(join(root, 'store'));
    expect(await killedEverywhere(await open(root), 'mount')).toBeGreaterThan(40);
  }, 170_000);

  describe.each(['btrfs', 'xfs'] as const)('on %s', (type) => {
    test.skipIf(!needs(`mkfs.${type}`) || !needs('mount'))(`by reflink: the data is whole or absent, and nothing is left (needs mkfs.${type}, mount)`, async () => {
      const disk = loopDisk(type, type === 'xfs' ? 320 : 128);
      undo.push(() => disk.dispose());
      expect(await killedEverywhere(await open(disk.path), 'reflink', type === 'xfs' ? 5 : 1)).toBeGreaterThan(25);
    }, 170_000);
  });
});
