import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Candidate } from '../../src/snapshot/choose.ts';
import { dataState } from '../../src/store/dataNames.ts';
import { discardData, readyData, swapBack, swapData } from '../../src/store/dataSwap.ts';
import { stageData } from '../../src/store/staging.ts';
import { scratch, Vault, writeFiles } from '../help/vault.ts';

let vault: Vault;
let candidate: Candidate;
let dataDir: string;
const OP = 'restore-a-17';
const swap = (from: 'snapshot' | 'empty' = 'snapshot') => swapData(dataDir, { operation: OP, from, clientKind: 'geth' });
const stage = () => stageData(vault.store, { candidate, dataDir, operation: OP, node: 'a', method: 'auto' });
const live = (path: string): string | null => (existsSync(join(dataDir, path)) ? readFileSync(join(dataDir, path), 'utf8') : null);
const names = () => readdirSync(dirname(dataDir)).sort();

beforeEach(async () => {
  vault = await Vault.open();
  candidate = (await vault.capture(writeFiles(scratch(), { 'chain/a.sst': 'new', 'chain/b.sst': 'too' }))).candidate;
  dataDir = join(scratch(), 'node');
  writeFiles(dataDir, { 'chain/a.sst': 'old', 'geth/nodekey': 'its own', 'geth/LOCK': '' });
});

test('data is staged beside, swapped in with the keys of the node, and the old is kept until it is discarded', async () => {
  await stage();
  expect(dataState(dataDir)).toMatchObject({ staged: OP, swapped: null, kept: null });
  expect(live('chain/a.sst')).toBe('old');
  await swap();
  expect(dataState(dataDir)).toMatchObject({ staged: null, swapped: OP, kept: OP });
  expect([live('chain/a.sst'), live('chain/b.sst'), live('geth/nodekey'), live('geth/LOCK')]).toEqual(['new', 'too', 'its own', null]);
  expect(names()).toEqual(['node', `node.tidegate-old-${OP}`]);
  await discardData(dataDir);
  expect(names()).toEqual(['node']);
  expect(dataState(dataDir)).toMatchObject({ staged: null, swapped: null, kept: null });
});

test('every step can be done again', async () => {
  for (let i = 0; i < 2; i++) await stage();
  for (let i = 0; i < 3; i++) await swap();
  expect(live('chain/a.sst')).toBe('new');
  expect(readFileSync(join(`${dataDir}.tidegate-old-${OP}`, 'chain/a.sst'), 'utf8')).toBe('old');
  for (let i = 0; i < 2; i++) await discardData(dataDir);
});

describe('after a crash', () => {
  const old = () => `${dataDir}.tidegate-old-${OP}`;
  const staged = () => `${dataDir}.tidegate-staged-${OP}`;

  test.each<[string, () => void]>([
    ['while the data was staged', () => { renameSync(staged(), `${staged()}.partial`); rmSync(join(`${staged()}.partial`, 'chain/b.sst')); }],
    ['before the swap', () => {}],
    ['after the old data was moved away', () => renameSync(dataDir, old())],
    ['after the new data was moved in', () => { renameSync(dataDir, old()); renameSync(staged(), dataDir); }],
  ])('%s', async (_name, crash) => {
    await stage();
    crash();
    const { staged: isStaged, swapped } = dataState(dataDir);
    if (swapped === null && isStaged === null) await stage();
    await swap();
    expect([live('chain/a.sst'), live('chain/b.sst')]).toEqual(['new', 'too']);
    expect(readFileSync(join(old(), 'chain/a.sst'), 'utf8')).toBe('old');
    expect(dataState(dataDir)).toMatchObject({ staged: null, swapped: OP, kept: OP });
  });
});

describe('taken back', () => {
  const old = () => `${dataDir}.tidegate-old-${OP}`;
  const failed = () => `${dataDir}.tidegate-failed-${OP}`;

  test.each<[string, () => void]>([
    ['at once', () => {}],
    ['after a crash when the new data was moved out', () => renameSync(dataDir, failed())],
    ['after a crash when the old data was moved in', () => { renameSync(dataDir, failed()); renameSync(old(), dataDir); }],
  ])('%s: the old data is whole and nothing is beside it', async (_name, crash) => {
    await stage();
    await swap();
    crash();
    for (let i = 0; i < 2; i++) await swapBack(dataDir, OP);
    expect([live('chain/a.sst'), live('chain/b.sst'), live('geth/nodekey')]).toEqual(['old', null, 'its own']);
    expect(names()).toEqual(['node']);
    expect(dataState(dataDir)).toMatchObject({ staged: null, swapped: null, kept: null });
  });

  test('a start after a crash in the middle of a swap finds the old data', async () => {
    await stage();
    renameSync(dataDir, old());
    expect(await readyData(dataDir)).toBeNull();
    expect(live('chain/a.sst')).toBe('old');
    expect(dataState(dataDir)).toMatchObject({ staged: OP, swapped: null, kept: null });
  });

  test('a node that has no data yet is ready', async () => {
    rmSync(dataDir, { recursive: true });
    expect(await readyData(dataDir)).toBeNull();
  });
});

test('a data directory that is gone', async () => {
  rmSync(dataDir, { recursive: true });
  await stage();
  await swap();
  expect(live('chain/a.sst')).toBe('new');
  expect(dataState(dataDir)).toMatchObject({ staged: null, swapped: OP, kept: OP });
});

test('nothing in the place of the data, but for the keys', async () => {
  await swap('empty');
  expect([live('chain/a.sst'), live('geth/nodekey')]).toEqual([null, 'its own']);
  expect(dataState(dataDir).swapped).toBe(OP);
});

test('nothing staged is an error and changes nothing', async () => {
  await expect(swap()).rejects.toThrow(`nothing is staged for ${OP}`);
  expect(live('chain/a.sst')).toBe('old');
});

test('what another operation staged goes when the next one stages; what it kept stays', async () => {
  mkdirSync(`${dataDir}.tidegate-staged-restore-a-5`);
  mkdirSync(`${dataDir}.tidegate-old-restore-a-5`);
  await stage();
  expect(names()).toEqual(['node', 'node.tidegate-old-restore-a-5', `node.tidegate-staged-${OP}`]);
  await swap();
  expect(dataState(dataDir).swapped).toBe(OP);
});
