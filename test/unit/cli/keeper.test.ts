import { beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../../../src/cli/run.ts';
import { TestParts, TestWorld } from '../../help/cliWorld.ts';

/** What the controller puts in, not the command. */
const PLACEHOLDER = ['$', '{SECRET}'].join('');
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
    expect(await run('node stop n1 --no-wait')).toBe(0);
    expect(await run('node stop n1 --yes --no-wait')).toBe(0);
    expect(world.questions).toHaveLength(3);
    expect(world.sent).toHaveLength(2);
    expect(world.sent[0]).toEqual({ url: `${ADMIN}/api/v1/nodes/n1/stop`, method: 'POST', body: '{}', authorization: 'Bearer secret-token-of-16' });
  });

  test('what makes no sense is refused', async () => {
    const said: Readonly<Record<string, string>> = {
      'node explain': 'NAME is missing',
      'node list n1': 'unexpected argument "n1"',
      'node start n1 --file x': '--file goes with add only',
      'node stop n1 --delete-data': '--delete-data goes with remove only',
      'node list --dry-run': '--dry-run does not go with list',
      'node add n1 --chain dev --http-port 9': 'give --data-dir, or --file FILE',
      'node add n1 --chain dev --http-port x --data-dir d': '--http-port must be a whole number',
      'node restrat n1': 'unknown action "restrat" (did you mean restart?)',
    };
    for (const line of Object.keys(said)) expect(await run(line)).toBe(2);
    expect(world.errLines.filter((line) => !line.includes('tidegate help'))).toEqual(Object.values(said).map((text) => `tidegate: ${text}`));
  });
});

describe('node, changed', () => {
  const planned = { dryRun: true, node: 'n1', action: 'stop', steps: ['cordon it at the gateway', 'stop it, with its grace'], next: { kind: 'cordon' }, guards: [{ name: 'in-service', holds: false, why: '0 would stay' }], why: 'taking it out of service' };

  test('add sends the node of its options, of a file, or both; placeholders stay', async () => {
    answer('/api/v1/nodes', { name: 'n2' }, 201);
    expect(await run('node add n2 --chain dev --client anvil --http-port 9002 --data-dir /data/n2 --arg --silent --arg x --no-wait')).toBe(0);
    world.files.set('n.yaml', `name: n2\nchain: dev\nhttpPort: 9002\ndataDir: /data/n2\nenv: { KEY: "${PLACEHOLDER}" }\n`);
    expect(await run('node add --file n.yaml --ws-port 9003 --no-wait')).toBe(0);
    expect(world.sent.map(({ method, body }) => [method, JSON.parse(body)])).toEqual([
      ['POST', { name: 'n2', chain: 'dev', client: 'anvil', httpPort: 9002, dataDir: '/data/n2', args: ['--silent', 'x'] }],
      ['POST', { name: 'n2', chain: 'dev', httpPort: 9002, dataDir: '/data/n2', env: { KEY: PLACEHOLDER }, wsPort: 9003 }],
    ]);
    world.files.set('bad.yaml', '- a\n');
    expect(await run('node add --file bad.yaml')).toBe(1);
    expect(await run('node add --file none.yaml')).toBe(1);
    expect(world.errLines).toEqual(['tidegate: bad.yaml: must be one node, a mapping', 'tidegate: none.yaml: cannot be read (ENOENT)']);
  });

  test('remove asks, says so of the data, and takes --yes', async () => {
    answer('/api/v1/nodes/n1', { name: 'n1' }, 202);
    world.answer = false;
    expect(await run('node remove n1 --delete-data')).toBe(1);
    expect(world.questions[0]).toMatch(/kept no more; its data is deleted/);
    expect(await run('node remove n1 --yes --delete-data --no-wait')).toBe(0);
    expect(world.sent).toEqual([{ url: `${ADMIN}/api/v1/nodes/n1`, method: 'DELETE', body: '{"deleteData":true}', authorization: 'Bearer secret-token-of-16' }]);
  });

  test('a dry run asks nobody and prints the plan; --json prints the answer', async () => {
    answer('/api/v1/nodes/n1/stop?dryRun=true', planned);
    expect(await run('node stop n1 --dry-run')).toBe(0);
    expect(world.questions).toEqual([]);
    expect(world.outLines).toEqual(['decided: taking it out of service', '  1. cordon it at the gateway', '  2. stop it, with its grace', 'next step: cordon', 'held back by in-service: 0 would stay']);
    expect(await run('node stop n1 --dry-run --json')).toBe(0);
    expect(JSON.parse(world.outLines.at(-1) ?? '')).toEqual(planned);
  });

  test('watches until it is done, in plain lines', async () => {
    answer('/api/v1/nodes/n1/restart', shownAs('healthy', null), 202);
    const entries = [{ at: '1970-01-01T00:00:01.000Z', node: 'n1', kind: 'operation', what: 'restart', why: 'older', outcome: 'ok' }];
    world.time = 5000;
    const going = (why: string) => answer('/api/v1/nodes/n1', { ...shownAs('starting', { kind: 'restart' }), why });
    going('3 calls are still under way on it');
    answer('/api/v1/journal?limit=100&node=n1', entries);
    let pauses = 0;
    world.onPause = () => {
      const why = ['', '2 calls are still under way on it', 'probation: 1 of 3 good looks', 'probation: 2 of 3 good looks'][++pauses];
      if (why !== undefined) {
        going(why);
        return;
      }
      entries.push({ at: '1970-01-01T00:00:06.000Z', node: 'n1', kind: 'operation', what: 'restart', why: 'wished', outcome: 'ok' });
      answer('/api/v1/journal?limit=100&node=n1', entries);
      answer('/api/v1/nodes/n1', shownAs('healthy', null));
    };
    expect(await run('node restart n1 --yes')).toBe(0);
    // counts that change are no news
    expect(world.outLines).toEqual(['n1: 3 calls are still under way on it', 'n1: probation: 1 of 3 good looks', '1970-01-01T00:00:06.000Z  n1  operation restart: ok: wished', 'n1: at the head']);
    answer('/api/v1/nodes/n1', { ...shownAs('crashLoop', null), human: 'a human is called: it ends each time' });
    expect(await run('node start n1')).toBe(1);
  });
});

const shownAs = (verdict: string, operation: object | null) => ({ name: 'n1', chain: 'dev', verdict, why: 'at the head', process: { state: 'running' }, edge: { state: 'serving' }, operation });

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
