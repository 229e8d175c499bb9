import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { DataWatch } from '../../src/controller/dataWatch.ts';
import { needsRoot } from '../help/require.ts';
import { scratch, writeFiles } from '../help/vault.ts';

let root: string;
let node: { name: string; dataDir: string; clientKind: string };
beforeEach(() => {
  root = scratch();
  node = { name: 'a', dataDir: join(root, 'a'), clientKind: 'geth' };
});
const watch = () => new DataWatch(join(root, 'state/data.json'));
const whole = () => writeFiles(node.dataDir, { 'geth/chaindata/CURRENT': 'x', 'geth/chaindata/1.sst': 'y', 'geth/nodekey': 'k' });

test('data that was there and is gone is told by name, by the next controller too; data that never was is not missed', async () => {
  const first = watch();
  expect(await first.lost(node)).toBeNull();
  whole();
  await first.note(node);
  expect(await first.lost(node)).toBeNull();
  rmSync(join(node.dataDir, 'geth/chaindata/1.sst'));
  expect(await watch().lost(node)).toBe('a table of its chaindata is gone from its data directory');
  rmSync(node.dataDir, { recursive: true });
  expect(await watch().lost(node)).toContain('the manifest of its chaindata and a table of its chaindata is gone');
  expect(await watch().lost({ ...node, name: 'b' })).toBeNull();
});

test('what is not whole yet does not count as data; a cache of the client never does', async () => {
  writeFiles(node.dataDir, { 'geth/chaindata/CURRENT': 'x' });
  const one = watch();
  await one.note(node);
  rmSync(node.dataDir, { recursive: true });
  expect(await one.lost(node)).toBeNull();
  const anvil = { ...node, clientKind: 'anvil' };
  writeFiles(node.dataDir, { '.foundry/cache/1.json': '{}' });
  await one.note(anvil);
  rmSync(node.dataDir, { recursive: true });
  expect(await one.lost(anvil)).toBeNull();
});

test('of a client that nobody knows any file counts', async () => {
  const other = { ...node, clientKind: 'other' };
  writeFiles(node.dataDir, { 'deep/er': 'x' });
  const one = watch();
  await one.note(other);
  rmSync(join(node.dataDir, 'deep'), { recursive: true });
  expect(await one.lost(other)).toBe('all of its data is gone from its data directory');
});

test('nothing is missed while an operation has the data in hand, or when it is to begin anew', async () => {
  whole();
  const one = watch();
  await one.note(node);
  rmSync(node.dataDir, { recursive: true });
  mkdirSync(`${node.dataDir}.tidegate-old-restore-a-1`);
  expect(await one.lost(node)).toBeNull();
  rmSync(`${node.dataDir}.tidegate-old-restore-a-1`, { recursive: true });
  await one.forget('a');
  expect([await one.lost(node), await watch().lost(node)]).toEqual([null, null]);
  writeFileSync(join(root, 'state/data.json'), 'not json');
  expect(await watch().lost(node)).toBeNull();
});

test.skipIf(!needsRoot())('data whose file system is not mounted is away, not gone; a mount of the data itself is noticed too (needs root)', async () => {
  for (const below of ['nodes/a', '.']) {
    const [there, disk] = [scratch(), scratch()];
    const bind = (): void => void execFileSync('mount', ['--bind', there, disk]);
    bind();
    const away = { ...node, name: `of ${below}`, dataDir: join(disk, below) };
    writeFiles(away.dataDir, { 'geth/chaindata/CURRENT': 'x', 'geth/chaindata/1.sst': 'y' });
    await watch().note(away);
    expect([await watch().lost(away), await watch().unmounted(away)]).toEqual([null, null]);
    rmSync(join(away.dataDir, 'geth/chaindata/1.sst'));
    expect([await watch().lost(away), await watch().unmounted(away)]).toEqual(['a table of its chaindata is gone from its data directory', null]);
    execFileSync('umount', [disk]);
    const why = `the file system of its data is not mounted at ${disk}`;
    expect([await watch().lost(away), await watch().unmounted(away)]).toEqual([why, why]);
    // moved there for good
    writeFiles(away.dataDir, { 'geth/chaindata/CURRENT': 'x', 'geth/chaindata/1.sst': 'y' });
    expect(await watch().unmounted(away)).toBeNull();
    await watch().note(away);
    rmSync(join(away.dataDir, 'geth'), { recursive: true });
    expect(await watch().unmounted(away)).toBeNull();
    rmSync(disk, { recursive: true });
  }
});
