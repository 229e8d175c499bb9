import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configFromValue, parseConfig } from '../../src/config/parse.ts';
import type { Config } from '../../src/config/schema.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { ChainStatus } from '../../src/gateway/status.ts';
import type { Logger } from '../../src/observe/log.ts';
import { ScriptNode } from '../help/scriptNode.ts';

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silent };
const WORKERS = 6;
/** Answered calls between two reloads. */
const STEP = 15;

interface Wish {
  readonly name: string;
  readonly node: ScriptNode;
  readonly [option: string]: unknown;
}

let nodes: ScriptNode[];
let gateway: Gateway;

const upstreams = (wishes: readonly Wish[]) => wishes.map(({ node, ...rest }) => ({ http: node.httpUrl, ...rest }));
const configOf = (wishes: readonly Wish[], chain: object = {}, more: object = {}): Config => {
  const result = configFromValue({
    server: { port: 0, engine: 'node' },
    admin: { port: 0, tokenFile: '' },
    chains: [{ name: 'main', chainId: 1, cache: { enabled: false }, ...chain, upstreams: upstreams(wishes) }],
    ...more,
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
};
const at = (index: number): ScriptNode => nodes[index] as ScriptNode;

const ask = async (param: number, path = ''): Promise<string> => {
  const body = `{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x${param.toString(16)}","latest"]}`;
  const response = await fetch(`http://127.0.0.1:${gateway.clientPort}/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return `${response.status} ${await response.text()}`;
};
const GOOD = '200 {"jsonrpc":"2.0","id":1,"result":"0x1"}';
const status = async (): Promise<readonly ChainStatus[]> =>
  (await fetch(`http://127.0.0.1:${gateway.adminPort}/api/v1/upstreams`)).json() as Promise<ChainStatus[]>;
const names = async (): Promise<string[]> => (await status())[0]?.upstreams.map(({ name }) => name).sort() ?? [];
const until = (names: readonly string[]) =>
  vi.waitFor(
    async () => {
      const up = (await status()).flatMap((chain) => chain.upstreams.filter(({ state }) => state === 'serving' || state === 'ramping'));
      expect(up.map(({ name }) => name)).toEqual(expect.arrayContaining([...names]));
    },
    { timeout: 20_000, interval: 20 },
  );

/** Calls without a pause until it is stopped; keeps every answer that is not the expected one. */
class Load {
  readonly wrong: string[] = [];
  answered = 0;
  private stopped = false;
  private waiting: { readonly at: number; readonly run: () => void }[] = [];
  private readonly workers = Array.from({ length: WORKERS }, (_, i) => this.work(i));

  /** Resolves after so many more answers. */
  more(calls: number): Promise<void> {
    return new Promise((run) => this.waiting.push({ at: this.answered + calls, run }));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.workers);
  }

  private async work(worker: number): Promise<void> {
    for (let i = 0; !this.stopped; i++) {
      const answer = await ask(worker * 100_000 + i).catch((error: unknown) => String(error));
      if (answer !== GOOD) this.wrong.push(answer);
      this.answered++;
      const due = this.waiting.filter(({ at }) => at <= this.answered);
      this.waiting = this.waiting.filter(({ at }) => at > this.answered);
      for (const { run } of due) run();
    }
  }
}

beforeEach(async () => {
  nodes = await Promise.all(Array.from({ length: 4 }, () => ScriptNode.start(() => ({ result: '"0x1"' }))));
});
afterEach(async () => {
  await gateway?.close(0);
  await Promise.all(nodes.map((node) => node.close()));
});

const start = async (config: Config): Promise<void> => {
  gateway = await startGateway(config, { log: silent, version: 'test' });
};

test('20 reloads under load that add, remove, replace and re-weight cost no call; nor does a bad file', async () => {
  const a = { name: 'a', node: at(0) };
  const b = { name: 'b', node: at(1) };
  const c = { name: 'c', node: at(2) };
  const moved = { name: 'a', node: at(3) };
  const rounds: readonly (readonly Wish[])[] = [
    [a, b, c],
    [{ ...a, weight: 1 }, b, { ...c, weight: 900 }],
    [{ ...b, headers: { 'x-key': 'k' } }, c],
    // nobody of before stays
    [moved],
    [{ ...moved, connections: 3, maxInFlight: 500, tier: 1 }, b],
  ];
  await start(configOf([a, b]));
  await until(['a', 'b']);
  const load = new Load();
  for (let round = 0; round < 20; round++) {
    const report = await gateway.reload(configOf(rounds[round % rounds.length] ?? [], { routing: { deadlineMs: 20_000 + round } }));
    expect(report.live.length).toBeGreaterThan(0);
    expect(report.restart).toEqual([]);
    await load.more(STEP);
  }
  expect(await names()).toEqual(['a', 'b']);
  expect(parseConfig('chains: [{ name: main, upstreams: [{ name: a, htp: x }] }]', {}).ok).toBe(false);
  await load.more(STEP);
  await load.stop();
  expect(load.wrong).toEqual([]);
  expect(load.answered).toBeGreaterThan(20 * STEP);
});

test('a removed node gets no new call, and its call under way ends', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  at(0).hold = held;
  await start(configOf([{ name: 'a', node: at(0) }, { name: 'b', node: at(1), weight: 0 }], { routing: { hedge: { enabled: false } } }));
  await until(['a']);
  const slow = ask(1);
  await vi.waitFor(() => expect(at(0).calls.length).toBe(1));
  await until(['b']);
  await gateway.reload(configOf([{ name: 'b', node: at(1) }], { routing: { hedge: { enabled: false } } }));
  expect(await ask(2)).toBe(GOOD);
  expect(await ask(3)).toBe(GOOD);
  release();
  expect(await slow).toBe(GOOD);
  expect([at(0).calls.length, at(1).calls.length]).toEqual([1, 2]);
  const metrics = await (await fetch(`http://127.0.0.1:${gateway.adminPort}/metrics`)).text();
  expect(metrics).not.toContain('upstream="a"');
  expect(metrics).toContain('upstream="b"');
});

test('methods, limits and chains change; what takes a restart is named and stays', async () => {
  const a = { name: 'a', node: at(0) };
  await start(configOf([a]));
  await until(['a']);
  at(1).chainId = '0x2';
  const second = { name: 'second', upstreams: upstreams([{ name: 'x', node: at(1) }]) };
  const wanted = configOf([a], { methods: { deny: ['eth_getBalance'] }, blockTimeMs: 7000 });
  const withSecond = configFromValue({ ...wanted, server: { ...wanted.server, maxBatchItems: 1, port: 1 }, chains: [...wanted.chains, second] });
  if (!withSecond.ok) throw new Error(JSON.stringify(withSecond.problems));
  const report = await gateway.reload(withSecond.config);
  expect(report.restart).toEqual(['server.port', 'chains.main.blockTimeMs']);
  expect(report.live).toEqual(['changed server.maxBatchItems', 'changed chains.main.methods', 'added chains.second']);
  expect(await ask(1)).toContain('-32601');
  expect(await ask(1, 'second')).toBe(GOOD);
  await gateway.reload(configOf([a]));
  expect(await ask(1)).toBe(GOOD);
  expect(await ask(1, 'second')).toContain('404');
});

test('keys come into force', async () => {
  const a = { name: 'a', node: at(0) };
  await start(configOf([a]));
  expect(await ask(1)).toBe(GOOD);
  const keys = [{ name: 'k', sha256: createHash('sha256').update('secret').digest('hex') }];
  const report = await gateway.reload(configOf([a], {}, { access: { required: true, keys } }));
  expect(report).toEqual({ live: ['changed access.required', 'changed access.keys'], restart: [] });
  expect(await ask(1)).toContain('401');
  expect(await ask(1, 'main/secret')).toBe(GOOD);
});

test('a budget comes into force, and goes', async () => {
  const a = { name: 'a', node: at(0) };
  const patience = { routing: { budgetWaitMs: 0 } };
  await start(configOf([a], patience));
  await gateway.reload(configOf([{ ...a, budget: { callsPerS: 0.001, burst: 1 } }], patience));
  expect([await ask(1), await ask(2)].filter((answer) => answer === GOOD).length).toBeLessThan(2);
  expect(await ask(3)).toMatch(/^429 .*-32005/);
  await gateway.reload(configOf([a], patience));
  expect(await ask(4)).toBe(GOOD);
});

test('a new chain whose nodes disagree changes nothing', async () => {
  const a = { name: 'a', node: at(0) };
  await start(configOf([a]));
  at(2).chainId = '0x2';
  const wanted = configOf([a, { name: 'b', node: at(1) }]);
  const third = { name: 'third', upstreams: upstreams([{ name: 'x', node: at(2) }, { name: 'y', node: at(3) }]) };
  const bad = configFromValue({ ...wanted, chains: [...wanted.chains, third] });
  if (!bad.ok) throw new Error(JSON.stringify(bad.problems));
  await expect(gateway.reload(bad.config)).rejects.toThrow('chain third: the nodes are on different chains');
  expect(await names()).toEqual(['a']);
});
