import { beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../../../src/cli/run.ts';
import { TestParts, TestWorld } from '../../help/cliWorld.ts';

const ADMIN = 'http://127.0.0.1:9545';
let world: TestWorld;
beforeEach(() => {
  world = new TestWorld();
  world.files.set('.tidegate/admin.token', 'secret-token-of-16\n');
});

const run = (line: string) => runCli(line.split(' '), world, new TestParts());
const answer = (path: string, value: unknown, status = 200) => world.answers.set(`${ADMIN}${path}`, { status, body: `${JSON.stringify(value)}\n` });

describe('reload', () => {
  test('shows the token and tells what has changed and what takes a restart', async () => {
    answer('/api/v1/config/reload', { applied: ['added chains.main.upstreams.a'], restart: ['server.port'] });
    expect(await run('reload')).toBe(0);
    expect(world.outLines).toEqual(['added chains.main.upstreams.a', 'takes a restart: server.port']);
    expect(world.sent).toEqual([{ url: `${ADMIN}/api/v1/config/reload`, method: 'POST', body: '{}', authorization: 'Bearer secret-token-of-16' }]);
  });

  test('says so when nothing has', async () => {
    answer('/api/v1/config/reload', { applied: [], restart: [] });
    expect(await run('reload')).toBe(0);
    expect(world.outLines).toEqual(['nothing has changed']);
  });

  test('prints each problem of a bad file with its place', async () => {
    const problems = [
      { path: 'server.prot', line: 1, column: 11, message: 'unknown key', suggestion: 'port' },
      { path: '', line: 3, column: 2, message: 'the text holds more than one document' },
    ];
    answer('/api/v1/config/reload', { error: 'nothing is changed', place: 'a.yaml', problems }, 422);
    expect(await run('reload')).toBe(1);
    expect(world.errLines).toEqual(['a.yaml:1:11 server.prot: unknown key (did you mean port?)', 'a.yaml:3:2 the text holds more than one document']);
  });

  test('names the token file that is not there', async () => {
    expect(await run('reload --token-file other.token')).toBe(1);
    expect(world.errLines).toEqual(['tidegate: other.token: the token cannot be read (ENOENT); name its file with --token-file']);
  });
});

describe('upstream', () => {
  const one = { chain: 'main', upstreams: [] };

  test('add sends the node as the config would have it, to the only chain', async () => {
    answer('/api/v1/upstreams', [one]);
    answer('/api/v1/upstreams/main', { applied: ['added chains.main.upstreams.n'], restart: [] }, 201);
    expect(await run('upstream add n --http http://h:1 --weight 5 --tier 1')).toBe(0);
    expect(world.sent[0]).toMatchObject({ method: 'POST', body: '{"name":"n","http":"http://h:1","weight":5,"tier":1}' });
    expect(world.outLines).toEqual(['added chains.main.upstreams.n']);
  });

  test('remove, cordon, uncordon and weight name the node in the path', async () => {
    answer('/api/v1/upstreams/main/n', { applied: ['removed chains.main.upstreams.n'], restart: [] });
    expect(await run('upstream remove n --chain main')).toBe(0);
    for (const action of ['cordon', 'uncordon', 'weight']) answer(`/api/v1/upstreams/main/n/${action}`, { why: `${action}: by an operator`, weight: 25 });
    expect(await run('upstream cordon n --chain main')).toBe(0);
    expect(await run('upstream uncordon n --chain main')).toBe(0);
    expect(await run('upstream weight n 25 --chain main')).toBe(0);
    expect(world.sent.map(({ method, url, body }) => `${method} ${url.slice(ADMIN.length)} ${body}`)).toEqual([
      'DELETE /api/v1/upstreams/main/n {}',
      'POST /api/v1/upstreams/main/n/cordon {}',
      'POST /api/v1/upstreams/main/n/uncordon {}',
      'POST /api/v1/upstreams/main/n/weight {"weight":25}',
    ]);
    expect(world.outLines[1]).toBe('n: cordon: by an operator, weight 25');
  });

  test('asks for the chain where there are several', async () => {
    answer('/api/v1/upstreams', [one, { ...one, chain: 'second' }]);
    expect(await run('upstream cordon n')).toBe(1);
    expect(world.errLines).toEqual(['tidegate: give --chain NAME: one of main, second']);
  });

  test.each([
    ['upstream cordn n', 'unknown action "cordn" (did you mean cordon?)'],
    ['upstream add n', 'give --http URL'],
    ['upstream weight n', 'WEIGHT is missing'],
    ['upstream weight n x', 'WEIGHT must be a whole number'],
    ['upstream cordon n 5', 'unexpected argument "5"'],
    ['upstream remove n --http http://h', '--http goes with add only'],
    ['upstream add', 'NAME is missing'],
  ])('%s is refused', async (line, words) => {
    expect(await run(line)).toBe(2);
    expect(world.errLines[0]).toBe(`tidegate: ${words}`);
  });
});
