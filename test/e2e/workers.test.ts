import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { testDevnet } from '../help/devnet.ts';
import { startLoops } from '../help/loops.ts';
import { builtProgram } from '../help/program.ts';
import { ScriptNode } from '../help/scriptNode.ts';
import { isAlive, untilGone, workerGateway } from '../help/workers.ts';
import type { WorkerGateway } from '../help/workers.ts';

const PATIENCE = { timeout: 30_000, interval: 20 };
/** Kills of the test of kills. The long form kills one a second for so many seconds: TIDEGATE_WORKER_KILL_S=30. */
const KILLS = 6;
const KILL_S = Number(process.env['TIDEGATE_WORKER_KILL_S'] ?? 0);

const closers: (() => Promise<unknown>)[] = [];
let nodes: ScriptNode[];

beforeAll(() => void builtProgram());
beforeEach(async () => {
  nodes = await Promise.all([0, 1].map(() => ScriptNode.start(() => ({ result: '"0x1"' }))));
  closers.push(...nodes.map((node) => () => node.close()));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const yaml = (engine: string, extra = '', server = ''): string =>
  [
    `server: { port: 0, engine: ${engine}, workers: 2 ${server} }`,
    'admin: { port: 0, tokenFile: "{token}" }',
    `chains: [{ name: main, chainId: 1 ${extra}, upstreams: [${nodes.map((node, i) => `{ name: n${i}, http: "${node.httpUrl}" }`).join(', ')}] }]`,
  ].join('\n');

async function open(text: string): Promise<WorkerGateway> {
  const gateway = await workerGateway(text);
  closers.push(() => gateway.close());
  return gateway;
}

/** A call on a connection of its own; those of one account share one answer while it is on its way. */
const ask = async (url: string, account = 0): Promise<string> => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_getBalance', params: [`0x${account.toString(16).padStart(40, '0')}`, 'latest'] });
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', connection: 'close' }, body });
  return answer.text();
};
const GOOD = '{"jsonrpc":"2.0","id":1,"result":"0x1"}';
const RESULTS = 'tidegate_requests_total{chain="main",outcome="result"}';

const isCounter = (series: string): boolean => /_(total|count|sum|bucket)(\{|$)/.test(series) && series.startsWith('tidegate_');

/** Series that have fallen, or are gone. */
const fallen = (before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): string[] =>
  [...before].filter(([series, value]) => isCounter(series) && !((now.get(series) ?? -1) >= value)).map(([series, value]) => `${series}: ${value} -> ${now.get(series)}`);

describe.each(['uws', 'node'])('two workers on the engine %s', (engine) => {
  it('serve one port, and their counts add up', async () => {
    const gateway = await open(yaml(engine));
    const pids = await gateway.untilServing(2);
    expect(new Set(pids).size).toBe(2);
    expect(await Promise.all(Array.from({ length: 40 }, (_, i) => ask(gateway.url, i)))).toEqual(Array.from({ length: 40 }, () => GOOD));
    await vi.waitFor(async () => expect((await gateway.metrics()).get(RESULTS)).toBe(40), PATIENCE);
    const metrics = await gateway.metrics();
    expect([metrics.get('tidegate_workers{state="serving"}'), metrics.get('tidegate_in_flight')]).toEqual([2, 0]);
    expect(metrics.get('tidegate_request_duration_seconds_count{chain="main"}')).toBe(40);
    const attempts = ['n0', 'n1'].map((name) => metrics.get(`tidegate_upstream_requests_total{chain="main",upstream="${name}",outcome="result"}`) ?? 0);
    expect(attempts.reduce((a, b) => a + b)).toBe(40);
    // either of them serves alone
    for (const pid of pids) {
      process.kill(pid, 'SIGKILL');
      await vi.waitFor(async () => expect(await ask(gateway.url)).toBe(GOOD), PATIENCE);
      await gateway.untilServing(2);
    }
  });

  const killTimeout = 120_000 + 10_000 * KILL_S;
  it('are killed one after the other under load: a client that tries again sees no error, counters never fall', { timeout: killTimeout }, async () => {
    const gateway = await open(yaml(engine));
    await gateway.untilServing(2);
    const load = startLoops(gateway.url, { clients: 32, retries: 2000 });
    await load.answered(50);
    let before = await gateway.metrics();
    const killed: number[] = [];
    for (let kill = 0; kill < (KILL_S > 0 ? KILL_S : KILLS); kill++) {
      const pid = (KILL_S > 0 ? await gateway.serving() : await gateway.untilServing(2))[kill % 2] ?? (await gateway.untilServing(1))[0];
      process.kill(pid as number, 'SIGKILL');
      killed.push(pid as number);
      if (KILL_S > 0) await new Promise((resolve) => setTimeout(resolve, 1000));
      else await load.answered(50);
      const now = await gateway.metrics();
      expect(fallen(before, now)).toEqual([]);
      before = now;
    }
    const report = await load.stop();
    expect(report.errors).toEqual({});
    await untilGone(killed);
    await vi.waitFor(async () => expect((await gateway.metrics()).get('tidegate_worker_deaths_total{reason="signal"}')).toBe(killed.length), PATIENCE);
    // what a worker counted in its last quarter of a second is lost with it, and nothing else
    const counted = (await gateway.metrics()).get(RESULTS) ?? 0;
    expect(counted).toBeGreaterThan(0);
    if (KILL_S > 0) console.info({ engine, kills: killed.length, calls: report.calls, again: report.again, slowestMs: Math.round(report.slowestMs), counted });
  });

  it('finish their calls at SIGTERM and leave no process behind', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    for (const node of nodes) node.hold = held;
    const gateway = await open(yaml(engine, ', routing: { hedge: { enabled: false } }'));
    const pids = await gateway.untilServing(2);
    const calls = Array.from({ length: 12 }, (_, i) => ask(gateway.url, i));
    // an attempt that takes long is made again elsewhere
    const asked = (): unknown[] => nodes.flatMap((node) => node.calls.map(({ params }) => (params as readonly unknown[])[0]));
    await vi.waitFor(() => expect(new Set(asked()).size).toBe(12), PATIENCE);
    gateway.program.kill('SIGTERM');
    await vi.waitFor(async () => expect((await fetch(`${gateway.adminUrl}/readyz`)).status).toBe(503), PATIENCE);
    await vi.waitFor(async () => expect(await gateway.serving()).toEqual([]), PATIENCE);
    expect(pids.filter(isAlive)).toEqual(pids);
    release();
    expect(await Promise.all(calls)).toEqual(calls.map(() => GOOD));
    expect(await gateway.program.ended).toMatchObject({ code: 0, stderr: '' });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('take a reload over before it is answered', async () => {
    const gateway = await open(yaml(engine));
    await gateway.untilServing(2);
    const all = (): Promise<string[]> => Promise.all(Array.from({ length: 24 }, () => ask(gateway.url)));
    for (const deny of ['[eth_getBalance]', '[]', '[eth_getBalance]']) {
      const done = await gateway.reload(yaml(engine, `, methods: { deny: ${deny} }`));
      expect(done.status, done.text).toBe(200);
      const isGood = new Set((await all()).map((answer) => answer === GOOD));
      expect([...isGood]).toEqual([deny === '[]']);
    }
    // whoever starts later starts with it
    const [first] = await gateway.untilServing(2);
    process.kill(first as number, 'SIGKILL');
    await vi.waitFor(async () => expect((await gateway.workers()).some(({ restarts, state }) => restarts === 1 && state === 'serving')).toBe(true), PATIENCE);
    expect(new Set(await all())).toEqual(new Set([(await all())[0]]));
    expect(await ask(gateway.url)).toContain('-32601');
  });

  it('end when the process over them is killed', async () => {
    const gateway = await open(yaml(engine));
    const pids = await gateway.untilServing(2);
    gateway.program.kill('SIGKILL');
    await gateway.program.ended;
    await untilGone(pids);
    await expect(ask(gateway.url)).rejects.toThrow();
  });

  it('are replaced when one hangs', async () => {
    const gateway = await open(yaml(engine, '', ', workerHangMs: 1500'));
    const [first] = await gateway.untilServing(2);
    process.kill(first as number, 'SIGSTOP');
    await untilGone([first as number]);
    await gateway.untilServing(2);
    expect((await gateway.metrics()).get('tidegate_worker_deaths_total{reason="hung"}')).toBeGreaterThanOrEqual(1);
    expect(await ask(gateway.url)).toBe(GOOD);
  });

  it('show no older head than the other has shown, while blocks come and one of them dies', async () => {
    const devnet = await testDevnet({ nodes: 2 });
    closers.push(() => devnet.close());
    await devnet.mine(3);
    await devnet.settled();
    const upstreams = devnet.nodes.map(({ httpUrl }, i) => `{ name: n${i}, http: "${httpUrl}" }`).join(', ');
    const gateway = await open(`server: { port: 0, engine: ${engine}, workers: 2 }\nadmin: { port: 0, tokenFile: "" }\nchains: [{ name: main, upstreams: [${upstreams}] }]`);
    const [first] = await gateway.untilServing(2);
    // highest head shown in the first so many answers
    const highest = [0];
    const check = (header: (name: string) => string, askedAfter: number): string => {
      const number = Number(header('x-tidegate-block').split(':')[0]);
      highest.push(Math.max(number, highest.at(-1) ?? 0));
      return number >= (highest[askedAfter] ?? 0) ? '' : `${number} after ${highest[askedAfter]}`;
    };
    const load = startLoops(gateway.url, { clients: 12, retries: 2000, check });
    for (let block = 0; block < 12; block++) {
      await devnet.mine(1);
      await load.answered(30);
      if (block === 6) process.kill(first as number, 'SIGKILL');
    }
    await vi.waitFor(() => expect(highest.at(-1)).toBe(15), PATIENCE);
    const report = await load.stop();
    expect([report.findings, report.errors]).toEqual([[], {}]);
  });
});
