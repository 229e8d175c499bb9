import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Candidate } from '../../src/snapshot/choose.ts';
import { treeProblem } from '../../src/store/tree.ts';
import { scratch, Vault, writeFiles } from '../help/vault.ts';

const silent = (): void => undefined;

let vault: Vault;
let data: string;
let candidate: Candidate;

beforeEach(async () => {
  vault = await Vault.open();
  data = writeFiles(scratch(), { 'chaindata/CURRENT': 'MANIFEST-1\n', 'chaindata/1.sst': 'table' });
  ({ candidate } = await vault.capture(data));
});

const trees = () => vault.store.trees;
const build = () => trees().build(candidate, silent);

describe('a read-only tree of a snapshot', () => {
  test('holds the files of the manifest, without rights to write them, at a place that is known before', async () => {
    const tree = await build();
    expect(tree).toEqual({ id: candidate.id, chain: 'demo', path: trees().pathOf('demo', candidate.id), builtAtMs: vault.nowMs, checkedAtMs: vault.nowMs, problem: null });
    expect(readFileSync(join(tree.path, 'chaindata/1.sst'), 'utf8')).toBe('table');
    expect(statSync(join(tree.path, 'chaindata/1.sst')).mode & 0o222).toBe(0);
    expect(await trees().find('demo', candidate.id)).toEqual(tree);
    expect(await trees().list('demo')).toEqual([tree]);
    expect(await treeProblem(tree.path, candidate.manifest.snapshot.files)).toBeNull();
  });

  test('what differs from the manifest is told by name', async () => {
    const { path } = await build();
    const problem = () => treeProblem(path, candidate.manifest.snapshot.files);
    writeFileSync(join(path, 'chaindata/2.sst'), 'more');
    expect(await problem()).toBe('file chaindata/2.sst: is not in the manifest');
    rmSync(join(path, 'chaindata/2.sst'));
    chmodSync(join(path, 'chaindata/1.sst'), 0o644);
    writeFileSync(join(path, 'chaindata/1.sst'), 'tab');
    expect(await problem()).toBe('file chaindata/1.sst: has 3 bytes, the manifest says 5');
    rmSync(join(path, 'chaindata/1.sst'));
    expect(await problem()).toBe('file chaindata/1.sst: is missing');
  });

  test('a damaged one is built anew, a sound one stays as it is', async () => {
    const tree = await build();
    const file = join(tree.path, 'chaindata/1.sst');
    const damage = (): void => {
      chmodSync(file, 0o644);
      writeFileSync(file, 'tabIe');
    };
    damage();
    await build();
    expect(readFileSync(file, 'utf8')).toBe('tabIe');
    await trees().note({ ...tree, problem: 'file chaindata/1.sst, chunk 0: other bytes' });
    expect((await trees().find('demo', candidate.id))?.problem).toContain('chaindata/1.sst');
    expect((await build()).problem).toBeNull();
    expect(readFileSync(file, 'utf8')).toBe('table');
  });

  test('a mounted one is pinned: neither it nor its snapshot goes', async () => {
    const tree = await build();
    await trees().pin(candidate.id, 'node-a');
    expect(await vault.store.pins.list()).toEqual([{ id: candidate.id, name: 'mount-node-a', reason: 'mounted by node node-a' }]);
    await expect(trees().drop('demo', candidate.id)).rejects.toThrow('its tree is in use (mounted by node node-a)');
    expect(await trees().dropOthers('demo', new Set())).toEqual([]);
    await trees().note({ ...tree, problem: 'damaged' });
    await expect(build()).rejects.toThrow('in use');
    expect(existsSync(join(tree.path, 'chaindata/1.sst'))).toBe(true);
    await trees().unpin(candidate.id, 'node-a');
    expect(await trees().dropOthers('demo', new Set())).toEqual([candidate.id]);
    expect(readdirSync(dirname(tree.path))).toEqual([]);
  });

  test('what a build or a removal left half done counts for nothing and goes', async () => {
    const path = trees().pathOf('demo', candidate.id);
    mkdirSync(join(path, 'chaindata'), { recursive: true });
    writeFileSync(join(path, 'chaindata/1.sst'), 'half of a removal: no record beside it');
    mkdirSync(`${path}.partial`);
    expect(await trees().find('demo', candidate.id)).toBeNull();
    expect(await trees().list('demo')).toEqual([]);
    expect(await treeProblem((await build()).path, candidate.manifest.snapshot.files)).toBeNull();
    mkdirSync(`${path}.partial`);
    writeFileSync(`${path}.json`, '{"builtAtMs":1,');
    expect(await trees().find('demo', candidate.id)).toBeNull();
    expect(await trees().dropOthers('demo', new Set())).toEqual([candidate.id]);
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test('a half written pin holds nothing', async () => {
    writeFiles(vault.root, { [`pins/${candidate.id}.mount-node-a.0a1b2c3d4e5f.partial`]: 'mou' });
    expect(await vault.store.pins.list()).toEqual([]);
  });
});
