import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readArgs } from '../../../src/cli/args.ts';
import { runCli } from '../../../src/cli/run.ts';
import { TestParts, TestWorld } from '../../help/cliWorld.ts';

const usage = (line: string): string | null => {
  const command = readArgs(['snapshot', ...line.split(' ').filter((word) => word !== '')]);
  return 'usage' in command ? command.usage : null;
};

describe('command lines', () => {
  test.each([
    ['', 'ACTION is missing'],
    ['veryfy', 'unknown action "veryfy" (did you mean verify?)'],
    ['create --data d', 'give --rpc URL or --facts FILE, or --node NAME of a node that a controller keeps'],
    ['create --rpc http://a --facts f --data d', 'give --rpc or --facts, not both'],
    ['create --rpc http://a --client geth', 'give --data DIR'],
    ['create --rpc ftp://a --data d', '--rpc must be a URL such as http://127.0.0.1:8545'],
    ['create --rpc http://a --data d --kind whole', '--kind must be auto, full or incremental'],
    ['create --rpc http://a --data d --from-block x', '--from-block must be a whole number'],
    ['verify --checkpoint 5', '--checkpoint must be a block number, a colon and its hash'],
    ['list --rpc http://a', '--rpc does not go with list'],
    ['list x', 'unexpected argument "x"'],
    ['show', 'ID is missing'],
    ['export abcd', 'DIR is missing'],
  ])('%s', (line, message) => expect(usage(line)).toBe(message));

  test.each(['create --rpc http://a --client anvil', 'create --facts f --data d', 'verify', 'verify abcd --peer http://a --peer http://b --quorum 2', 'prune --dry-run --json', 'keygen'])('%s is one', (line) =>
    expect(usage(line)).toBeNull());
});

describe('on a store', () => {
  let world: TestWorld;
  let place: string[];
  const run = (...words: string[]) => runCli(['snapshot', ...words, ...place], world, new TestParts());
  beforeEach(() => {
    world = new TestWorld();
    const root = mkdtempSync(join(tmpdir(), 'tidegate-cli-'));
    place = ['--store', join(root, 'store'), '--key', join(root, 'k', 'key'), '--trust', join(root, 'trust.json')];
  });

  test('a key is made once and trusted', async () => {
    expect(await run('keygen', '--json')).toBe(0);
    expect(await run('keygen', '--json')).toBe(0);
    const [first, second] = world.outLines.map((line) => JSON.parse(line) as { keyId: string });
    expect(first).toMatchObject({ isNew: true, isAdded: true });
    expect(second).toEqual({ ...first, isNew: false, isAdded: false });
  });

  test('taken, listed, shown, moved, pruned', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidegate-cli-'));
    const word = (digit: string) => `0x${digit.repeat(64)}`;
    writeFileSync(join(folder, 'facts.json'), JSON.stringify({ chainId: 5, genesisHash: word('1'), clientVersion: 'x/1', head: { number: 7, hash: word('2'), stateRoot: word('3'), timestampS: 9 } }));
    const data = mkdtempSync(join(tmpdir(), 'tidegate-cli-'));
    writeFileSync(join(data, 'table.sst'), 'some bytes');
    expect(await run('create', '--facts', join(folder, 'facts.json'), '--data', data, '--no-verify', '--json')).toBe(0);
    const { created, sequence } = JSON.parse(world.outLines.pop() ?? '') as { created: string; sequence: number };
    expect(sequence).toBe(1);
    expect(await run('create', '--facts', join(folder, 'facts.json'), '--data', data, '--no-verify', '--if-due')).toBe(0);
    expect(world.outLines.pop()).toBe('nothing is due');
    expect(await run('list')).toBe(0);
    expect(world.outLines.at(-1)).toMatch(new RegExp(`^default +1 +${created.slice(0, 12)} +full +other +7 `));
    expect(await run('show', created.slice(0, 6))).toBe(0);
    expect(world.outLines).toContain(`taken     ${new Date(world.nowMs()).toISOString()} from cli`);
    expect(await run('restore', created, join(folder, 'restored'))).toBe(3);
    expect(world.errLines.pop()).toContain('is not proven as far as the configuration asks: it was never verified');
    const out = join(folder, 'out');
    expect(await run('export', created, out)).toBe(0);
    const [, key = ''] = [place[1], place[5]];
    const other = ['--store', join(folder, 'other'), '--trust', key];
    expect(await runCli(['snapshot', 'import', out, ...other], world, new TestParts())).toBe(0);
    expect(await runCli(['snapshot', 'list', ...other], world, new TestParts())).toBe(0);
    expect(await runCli(['snapshot', 'import', out, ...other], world, new TestParts())).toBe(1);
    expect(world.errLines.pop()).toBe(`tidegate: snapshot ${created.slice(0, 12)} is in the store already`);
    expect(await run('create', '--facts', join(folder, 'facts.json'), '--data', data, '--rpc', 'http://127.0.0.1:1')).toBe(2);
    expect(await run('create', '--rpc', 'http://127.0.0.1:2', '--data', data, '--source', 'a')).toBe(1);
    expect(world.errLines.pop()).toMatch(/^tidegate: a: cannot be reached( \([A-Z]+\))?$/);
    expect(await run('prune', '--dry-run', '--json')).toBe(0);
    expect(JSON.parse(world.outLines.at(-1) ?? '')).toEqual({ keep: { [created]: ['last', 'hourly', 'daily', 'weekly', 'monthly'] }, drop: [], collected: null });
    expect(readFileSync(join(out, 'manifest.json'), 'utf8')).toContain(word('2'));
  });

  test('what is not there or not good is one line', async () => {
    expect(await run('list')).toBe(1);
    expect(world.errLines.splice(0)).toEqual([`tidegate: ${place[1]}: there is no store of snapshots here`]);
    mkdirSync(String(place[1]));
    expect(await run('show', 'abcd')).toBe(1);
    expect(await run('verify')).toBe(1);
    expect(await run('import', '/nonexistent')).toBe(1);
    expect(world.errLines).toEqual([
      'tidegate: there is no snapshot abcd',
      'tidegate: there is no snapshot of default',
      'tidegate: /nonexistent/manifest.json: no such file or directory',
    ]);
    world.files.set('bad.yaml', 'chains: []\n');
    expect(await run('list', '--config', 'bad.yaml')).toBe(1);
    expect(world.errLines.at(-1)).toContain('bad.yaml:1:9 chains: needs at least one chain');
  });
});

describe('what a running controller does', () => {
  const task = (state: string, endedAtMs: number | null): string => JSON.stringify({ id: 'capture-a-1', state, told: `it is ${state}`, endedAtMs, snapshot: null });
  const asked = async (state: string, ...words: string[]): Promise<{ readonly code: number; readonly world: TestWorld; readonly sent: string[] }> => {
    const world = new TestWorld();
    const sent: string[] = [];
    world.files.set('.tidegate/controller.token', 'secret\n');
    world.fetchText = (url, options) => {
      sent.push(`${options?.method ?? 'GET'} ${url} ${options?.body ?? ''}`.trim());
      return Promise.resolve(options === undefined ? { status: 200, body: task(state, 2) } : { status: 202, body: task('waiting', null) });
    };
    return { code: await runCli(['snapshot', ...words], world, new TestParts()), world, sent };
  };

  test.each([['done', 0], ['failed', 1], ['unproven', 3]])('a capture that is %s', async (state, code) => {
    const { world, sent, ...result } = await asked(state, 'create', '--node', 'own-1', '--kind', 'full');
    expect(result.code).toBe(code);
    expect(sent).toEqual(['POST http://127.0.0.1:9546/api/v1/nodes/own-1/capture {"kind":"full"}', 'GET http://127.0.0.1:9546/api/v1/snapshots/tasks/capture-a-1']);
    expect(world.outLines).toEqual([`it is ${state}`]);
  });

  test('a drill of one snapshot', async () => {
    const { code, sent } = await asked('done', 'drill', '1a2b3c4d', '--node', 'own-1', '--admin', 'http://127.0.0.1:1');
    expect([code, sent[0]]).toEqual([0, 'POST http://127.0.0.1:1/api/v1/nodes/own-1/drill {"snapshot":"1a2b3c4d"}']);
  });

  test.each([
    [['drill'], 'give --node NAME'],
    [['create', '--node', 'a', '--rpc', 'http://127.0.0.1:1'], '--rpc does not go with --node'],
    [['list', '--node', 'a'], '--node does not go with list'],
  ])('%j is refused', async (words, message) => {
    const { code, world } = await asked('done', ...words);
    expect([code, world.errLines.join('\n')]).toEqual([2, expect.stringContaining(message)]);
  });
});
