import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { DataWatch } from '../../src/controller/dataWatch.ts';
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
