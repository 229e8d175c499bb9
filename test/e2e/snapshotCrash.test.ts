import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { runCli } from '../../src/cli/run.ts';
import { TestParts, TestWorld } from '../help/cliWorld.ts';
import { word } from '../help/snapshot.ts';
import { scratch, writeFiles } from '../help/vault.ts';

const MIB = 1 << 20;
const KILLS = 8;

/** Runs the program and kills it after a while, or lets it end. */
const killed = async (args: readonly string[], afterMs: number): Promise<number | null> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../dist/main.js'), ...args], { stdio: 'ignore' });
  const over = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await Promise.race([over, wait(afterMs)]);
  child.kill('SIGKILL');
  return over;
};

test('killed at any moment of capture, verification and pruning, the store loses nothing and goes on', async () => {
  const random = seededRandom(11);
  const root = scratch();
  const data = scratch();
  const place = ['--store', join(root, 'store'), '--key', join(root, 'key'), '--trust', join(root, 'trust.json')];
  const facts = join(writeFiles(root, { 'facts.json': JSON.stringify({ chainId: 5, genesisHash: word('1'), clientVersion: 'x', head: { number: 7, hash: word('2'), stateRoot: word('3'), timestampS: 9 } }) }), 'facts.json');
  const create = ['snapshot', 'create', '--facts', facts, '--data', data, '--kind', 'full', ...place];
  const run = async (...words: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> => {
    const world = new TestWorld();
    const code = await runCli(words, world, new TestParts());
    return { code, out: world.outLines.at(-1) ?? '', err: world.errLines.join('\n') };
  };
  for (let i = 0; i < KILLS; i++) {
    writeFiles(data, { [`table-${i}.sst`]: randomFillSync(Buffer.alloc(6 * MIB)), 'log.json': Buffer.alloc(3 * MIB, `${i},`) });
    await killed(i % 3 === 2 ? ['snapshot', 'prune', ...place] : create, 250 + random() * 1500);
    // Every snapshot that is there is whole, whatever was killed.
    const listed = await run('snapshot', 'list', '--json', ...place);
    expect([listed.code, listed.err]).toEqual([0, '']);
    for (const { id } of JSON.parse(listed.out) as { id: string }[]) {
      const { out } = await run('snapshot', 'verify', id, '--json', ...place);
      const { levels } = (JSON.parse(out) as { verification: { levels: { level: string; verdict: string }[] } }).verification;
      expect(levels.find(({ level }) => level === 'L0')?.verdict).toBe('proven');
    }
  }
  const last = await run(...create, '--json');
  expect([last.code, last.err]).toEqual([3, '']);
  const { created } = JSON.parse(last.out) as { created: string };
  const [strict, lax] = [await run('snapshot', 'restore', created, join(root, 'strict'), ...place), join(root, 'lax.yaml')];
  expect([strict.code, strict.err]).toEqual([3, expect.stringContaining('L3 is notRun')]);
  const world = new TestWorld();
  world.files.set(lax, 'chains: [{ name: default, snapshots: { levels: [L0, L1] }, upstreams: [{ name: a, http: "http://127.0.0.1:1" }] }]');
  const restore = ['snapshot', 'restore', created, join(root, 'tree'), '--read-only', '--config', lax, ...place];
  expect(await runCli(restore, world, new TestParts())).toBe(0);
  for (const name of readdirSync(data)) expect(readFileSync(join(root, 'tree', name)).equals(readFileSync(join(data, name)))).toBe(true);
  expect(await runCli(restore, world, new TestParts())).toBe(1);
  expect(world.errLines.pop()).toContain('is there already');
  expect((await run('snapshot', 'prune', ...place)).code).toBe(0);
});
