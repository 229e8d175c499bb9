import { beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../../../src/cli/run.ts';
import { TestParts, TestWorld } from '../../help/cliWorld.ts';

const ADMIN = 'http://127.0.0.1:9546';
const CONFIG = 'chains: [{ name: dev, upstreams: [{ name: n1, http: "http://127.0.0.1:9001" }] }]\nnodes: [{ name: n1, chain: dev, client: anvil, httpPort: 9001, dataDir: /data/n1 }]\n';
let world: TestWorld;
let parts: TestParts;
beforeEach(() => {
  world = new TestWorld();
  parts = new TestParts();
  world.files.set('.tidegate/controller.token', 'secret-token-of-16\n');
  world.files.set('a.yaml', CONFIG);
});

const run = (line: string) => runCli(line.split(' '), world, parts);
const answer = (path: string, value: unknown, status = 200) => world.answers.set(`${ADMIN}${path}`, { status, body: `${JSON.stringify(value)}\n` });

describe('node, kept', () => {
  const shown = { name: 'n1', chain: 'dev', verdict: 'unresponsive', evidence: 'no answer for 9 s', why: 'a restart would follow, but 0 would stay in service', process: { state: 'running', pid: 7 }, rpc: { headNumber: 12 }, edge: { state: 'down' }, operation: null, next: null, human: null, paused: true, attempts: [{ rung: 'restart', verdict: 'processGone', atMs: 0 }], guards: [{ name: 'in-service', holds: false, why: '0 would stay in service, 1 wanted' }] };

  test('list shows a line for each', async () => {
    answer('/api/v1/nodes', [shown]);
    expect(await run('node list')).toBe(0);
    expect(world.outLines[1]).toMatch(/^n1 +dev +running +7 +unresponsive +12 +down +paused +a restart would follow/);
  });

  test('explain tells evidence, guards and what was tried', async () => {
    answer('/api/v1/nodes/n1', shown);
    expect(await run('node explain n1')).toBe(0);
    const text = world.outLines.join('\n');
    expect(text).toContain('evidence: no answer for 9 s');
    expect(text).toContain('guard in-service: REFUSES, 0 would stay in service, 1 wanted');
    expect(text).toContain('tried restart for processGone at 1970-01-01T00:00:00.000Z');
  });

  test('journal is one line an entry', async () => {
    answer('/api/v1/journal?limit=200&node=n1', [{ at: 'T', node: 'n1', kind: 'step', what: 'start', why: 'starting it', outcome: 'failed', durationMs: 1500, error: 'no such file' }]);
    expect(await run('node journal n1')).toBe(0);
    expect(world.outLines).toEqual(['T  n1  step start: failed in 1.5 s: starting it (no such file)']);
  });

  test('stop asks first, and needs --yes where nobody can be asked', async () => {
    answer('/api/v1/nodes/n1/stop', shown, 202);
    expect(await run('node stop n1')).toBe(1);
    expect(world.errLines).toEqual(['tidegate: stop needs --yes where nobody can be asked']);
    world.answer = false;
    expect(await run('node stop n1')).toBe(1);
    expect(world.sent).toEqual([]);
    world.answer = true;
    expect(await run('node stop n1')).toBe(0);
    expect(await run('node stop n1 --yes')).toBe(0);
    expect(world.questions).toHaveLength(3);
    expect(world.sent).toHaveLength(2);
    expect(world.sent[0]).toEqual({ url: `${ADMIN}/api/v1/nodes/n1/stop`, method: 'POST', body: '{}', authorization: 'Bearer secret-token-of-16' });
  });

  test('what makes no sense is refused', async () => {
    for (const line of ['node explain', 'node list n1', 'node start n1 --http http://x', 'node restrat n1']) expect(await run(line)).toBe(2);
    expect(world.errLines.filter((line) => !line.includes('tidegate help'))).toEqual(['tidegate: NAME is missing', 'tidegate: unexpected argument "n1"', 'tidegate: --http does not go with start', 'tidegate: unknown action "restrat" (did you mean restart?)']);
  });
});

describe('control', () => {
  test('runs until a signal', async () => {
    const exit = run('control --config a.yaml');
    await parts.started;
    world.signal();
    expect(await exit).toBe(0);
    expect(parts.events).toEqual(['controller starts', 'controller closes']);
  });

  test('a dry run prints and starts nothing', async () => {
    expect(await run('control --config a.yaml --dry-run')).toBe(0);
    expect(world.outLines).toEqual(['n1: healthy; no step; at the head']);
    expect(parts.events).toEqual([]);
  });

  test('a configuration without nodes is refused', async () => {
    world.files.set('b.yaml', 'chains: [{ name: dev, upstreams: [{ name: n1, http: "http://127.0.0.1:9001" }] }]\n');
    expect(await run('control --config b.yaml')).toBe(1);
    expect(world.errLines).toEqual(['tidegate: b.yaml has no nodes to keep']);
  });
});

describe('up', () => {
  const turn = () => new Promise((done) => setImmediate(done));

  test('runs both, starts one again that ends, ends the controller first', async () => {
    const exit = run('up --config a.yaml');
    await turn();
    expect(world.children.map(({ words }) => words)).toEqual([['serve', '--config', 'a.yaml'], ['control', '--config', 'a.yaml']]);
    world.time = 60_000;
    world.children[0]?.end('SIGKILL');
    await turn();
    expect(world.errLines).toEqual(['tidegate: serve ended with SIGKILL; started again in 1 s']);
    expect(world.children[2]?.words[0]).toBe('serve');
    world.signal();
    expect(await exit).toBe(0);
    expect(world.children.map(({ kills }) => kills)).toEqual([[], ['SIGTERM'], ['SIGTERM']]);
  });

  test('one that cannot even start ends the other', async () => {
    const exit = run('up --config a.yaml');
    await turn();
    world.children[0]?.end(1);
    expect(await exit).toBe(1);
    expect(world.errLines).toEqual(['tidegate: tidegate serve ended with 1']);
    expect(world.children[1]?.kills).toEqual(['SIGTERM']);
  });
});
