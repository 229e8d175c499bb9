import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Candidate } from '../../src/snapshot/choose.ts';
import { discardData, readyData, swapBack, swapData } from '../../src/store/dataSwap.ts';
import { StoreFault } from '../../src/store/fault.ts';
import { stageData } from '../../src/store/staging.ts';
import { needsRoot } from '../help/require.ts';
import { scratch, Vault, writeFiles } from '../help/vault.ts';

const OP = 'restore-a-17';
const OLD = { 'table.sst': 'old', 'geth/nodekey': 'its own' };
let vault: Vault;
let candidate: Candidate;
let disk: string;
let dataDir: string;
const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0).reverse()) one();
});
beforeEach(async () => {
  vault = await Vault.open();
  candidate = (await vault.capture(writeFiles(scratch(), { 'table.sst': Buffer.alloc(1 << 20, 'new'), 'other.sst': Buffer.alloc(1 << 20, 'too') }))).candidate;
});

/** A disk of 8 MiB in memory with a node's data in a folder. */
const mounted = (): void => {
  disk = mkdtempSync(join(tmpdir(), 'tidegate-target-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
  undo.push(() => {
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  });
  dataDir = writeFiles(join(disk, 'nodes', 'node'), OLD);
};
const setReadOnly = (isReadOnly: boolean): void => void execFileSync('mount', ['-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, disk]);
const fill = (leftBytes: number): void => {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - leftBytes), 1));
};
const live = (): Record<string, string> => Object.fromEntries(Object.keys(OLD).map((path) => [path, readFileSync(join(dataDir, path), 'utf8').slice(0, 7)]));
const names = (): string[] => readdirSync(dirname(dataDir)).sort();
const stage = (finish?: () => Promise<void>) => stageData(vault.store, { candidate, dataDir, operation: OP, node: 'a', method: 'copy', ...(finish === undefined ? {} : { finish }) });
const swap = () => swapData(dataDir, { operation: OP, from: 'snapshot', clientKind: 'geth' });
const codeOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', (error: unknown) => (error instanceof StoreFault ? `${error.code}: ${error.message}` : `no fault of the store: ${String(error)}`));

describe.skipIf(!needsRoot())('where the data of a node lies (needs root)', () => {
  beforeEach(mounted);

  test('read-only: nothing is staged or moved, and it goes on when it can be written again', async () => {
    setReadOnly(true);
    expect(await codeOf(stage())).toMatch(/^EROFS: .*node.*: the file system is read-only$/);
    setReadOnly(false);
    expect([live(), names()]).toEqual([OLD, ['node']]);
    await stage();
    setReadOnly(true);
    expect(await codeOf(swap())).toMatch(/^EROFS: .*nodes\/node: the file system is read-only$/);
    expect(live()).toEqual(OLD);
    expect(await readyData(dataDir)).toBeNull();
    setReadOnly(false);
    await swap();
    expect(live()).toEqual({ 'table.sst': 'newnewn', 'geth/nodekey': 'its own' });
    setReadOnly(true);
    expect(await codeOf(swapBack(dataDir, OP))).toMatch(/^EROFS: /);
    expect(await codeOf(discardData(dataDir))).toMatch(/^EROFS: /);
    setReadOnly(false);
    await swapBack(dataDir, OP);
    expect([live(), names()]).toEqual([OLD, ['node']]);
  });

  test('full before, midway, and when the keys are carried over: each is told, what is half done goes or waits, the old data stays', async () => {
    fill(1 << 20);
    expect(await codeOf(stage())).toMatch(/^ENOSPC: .*bytes are needed, \d+ are free$/);
    rmSync(join(disk, 'filler'));
    // there was room when it began
    const full = async (): Promise<void> => {
      fill(0);
      writeFileSync(`${dataDir}.tidegate-staged-more`, Buffer.alloc(1 << 16));
    };
    expect(await codeOf(stage(full))).toMatch(/^ENOSPC: .*the disk is full$/);
    expect([live(), names().filter((name) => name.includes(OP))]).toEqual([OLD, []]);
    rmSync(join(disk, 'filler'));
    await stage();
    writeFileSync(join(dataDir, 'geth/nodekey'), Buffer.alloc(1 << 16, 'its own'));
    fill(0);
    expect(await codeOf(swap())).toMatch(/^ENOSPC: .*nodes\/node: the disk is full$/);
    expect(live()).toEqual(OLD);
    rmSync(join(disk, 'filler'));
    await swap();
    expect(live()).toEqual({ 'table.sst': 'newnewn', 'geth/nodekey': 'its own' });
    expect(readFileSync(join(dataDir, 'geth/nodekey'))).toHaveLength(1 << 16);
  });

  test('gone midway: told by its name, and nothing is made in its place', async () => {
    const away = join(disk, 'away');
    const gone = (): Promise<void> => Promise.resolve(renameSync(dirname(dataDir), away));
    expect(await codeOf(stage(gone))).toMatch(/^ENOENT: .*nodes\/node.*: no such file or directory$/);
    expect(existsSync(dirname(dataDir))).toBe(false);
    expect(await codeOf(swap())).toMatch(/^missing: .*nothing is staged/);
    renameSync(away, dirname(dataDir));
    expect(live()).toEqual(OLD);
    await stage();
    mkdirSync(join(disk, 'elsewhere'));
    renameSync(dirname(dataDir), join(disk, 'elsewhere/nodes'));
    expect(await codeOf(swap())).toMatch(/^missing: /);
    renameSync(join(disk, 'elsewhere/nodes'), dirname(dataDir));
    await swap();
    expect(live()['table.sst']).toBe('newnewn');
  });
});
