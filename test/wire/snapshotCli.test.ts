import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { markOrigin, originOf } from '../../src/store/origin.ts';
import { TestParts, TestWorld } from '../help/cliWorld.ts';
import { scratch, writeFiles } from '../help/vault.ts';

const word = (digit: string): string => `0x${digit.repeat(64)}`;
let root: string;
let world: TestWorld;
const run = (...words: string[]): Promise<number> => runCli(['snapshot', ...words, '--config', 'c.yaml'], world, new TestParts());

/** A snapshot of node `a` that is proven as far as the configuration asks. */
async function proven(): Promise<string> {
  const facts = { chainId: 5, genesisHash: word('1'), clientVersion: 'x/1', head: { number: 7, hash: word('2'), stateRoot: word('3'), timestampS: 9 } };
  writeFiles(root, { 'facts.json': JSON.stringify(facts), 'data/table.sst': 'some bytes' });
  expect([await run('create', '--facts', join(root, 'facts.json'), '--data', join(root, 'data'), '--source', 'a', '--json'), world.errLines]).toEqual([0, []]);
  return (JSON.parse(world.outLines.at(-1) ?? '') as { created: string }).created;
}

beforeEach(() => {
  root = scratch();
  world = new TestWorld();
  const node = (name: string, port: number) => ({ name, chain: 'demo', client: 'geth', httpPort: port, dataDir: join(root, name) });
  world.files.set('c.yaml', JSON.stringify({
    chains: [{ name: 'demo', upstreams: [{ name: 'a', http: 'http://127.0.0.1:1' }], snapshots: { levels: ['L0', 'L1'] } }],
    snapshots: { directory: join(root, 'store'), keyFile: join(root, 'keys', 'key'), trustFile: join(root, 'keys', 'trust.json'), threads: 1 },
    controller: { stateDir: join(root, 'state') },
    nodes: [node('a', 18_545), node('b', 18_546)],
  }));
});

test('what is restored by hand says of whom its data is, as what a controller restores does', async () => {
  const id = await proven();
  expect([await run('restore', id, join(root, 'b')), world.errLines]).toEqual([0, []]);
  expect(readFileSync(join(root, 'b', 'table.sst'), 'utf8')).toBe('some bytes');
  expect(await originOf(join(root, 'b'))).toEqual(['a']);
  // the source's data is from another's by now: so is what a copy of it is from
  mkdirSync(join(root, 'a'));
  await markOrigin(join(root, 'a'), { snapshotId: id, from: ['c'] });
  expect(await run('restore', id, join(root, 'd'), '--read-only')).toBe(0);
  expect(await originOf(join(root, 'd'))).toEqual(['a', 'c']);
  writeFiles(join(root, 'a'), { '.tidegate-origin.json': 'unreadable' });
  expect(await run('restore', id, join(root, 'e'))).toBe(0);
  expect(await originOf(join(root, 'e'))).toBeNull();
  expect(readdirSync(join(root, 'e')).sort()).toEqual(['.tidegate-origin.json', 'table.sst']);
});
