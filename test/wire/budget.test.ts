import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startLoad } from '../help/load.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { ScriptNode } from '../help/scriptNode.ts';

let one: ScriptNode;
let two: ScriptNode;
let gateway: TestGateway | null = null;

beforeEach(async () => {
  [one, two] = [await ScriptNode.start(() => ({ result: '"0x1"' })), await ScriptNode.start(() => ({ result: '"0x1"' }))];
});
afterEach(async () => {
  await gateway?.close();
  gateway = null;
  await Promise.all([one.close(), two.close()]);
});

const QUICK = { ramp: { durationMs: 0 }, probation: { samples: 1 }, probeIntervalMs: 500 };

/** A gateway over the nodes, each with its budget. */
const start = async (budgets: readonly object[], routing: object = {}): Promise<TestGateway> => {
  const nodes = [one, two].slice(0, budgets.length);
  const upstreams = nodes.map(({ httpUrl }, i) => ({ name: `n${i}`, http: httpUrl, budget: budgets[i] }));
  gateway = await testGateway([], { chain: { chainId: 1, upstreams, health: QUICK, routing: { hedge: { enabled: false }, ...routing } } });
  await gateway.until((all) => serve(all));
  return gateway;
};

const call = (i: number): [string, readonly unknown[]] => ['eth_getBalance', [`0x${(0x1000 + i).toString(16).padStart(40, '0')}`, 'latest']];
const ask = async (url: string, i: number) => {
  const [method, params] = call(i);
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: i, method, params }) });
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), json: (await answer.json()) as { error?: { code: number } } };
};

test('a node that answers 429 over its rate is soon asked below it, and no call fails', async () => {
  const LIMIT = 60;
  one.perS = LIMIT;
  const { url, upstreams } = await start([{}, {}]);
  const load = startLoad(url, 4 * LIMIT, call);
  await load.answered(4 * LIMIT * 10);
  const known = await upstreams();
  expect(known.n0?.state).toBe('serving');
  expect(known.n0?.budget.callsPerS).toBeGreaterThan(5);
  expect(known.n0?.budget.callsPerS).toBeLessThan(LIMIT * 1.2);
  const { errors, byUpstream } = await load.stop();
  expect(errors).toEqual({});
  expect(byUpstream.n0).toBeGreaterThan(LIMIT);
  // of all that it was asked once it had taught its rate, hardly anything is over it
  const settled = [...one.seconds.values()].slice(-5, -1);
  const sum = (key: 'taken' | 'refused'): number => settled.reduce((all, counts) => all + counts[key], 0);
  expect(sum('taken')).toBeGreaterThan(0);
  expect(sum('refused')).toBeLessThan(0.2 * sum('taken'));
});

test('a node over its budget is passed over while another can take the call', async () => {
  const { url, adminUrl, upstreams } = await start([{ callsPerS: 0.001, burst: 5 }, {}]);
  const spent = one.calls.length;
  for (let i = 0; i < 60; i++) expect((await ask(url, i)).status).toBe(200);
  expect(one.calls.length - spent).toBeLessThanOrEqual(5);
  expect(two.calls.length).toBeGreaterThanOrEqual(55);
  expect((await upstreams()).n0?.budget).toMatchObject({ callsPerS: 0.001, weightPerS: 0 });
  const told = (await (await fetch(`${adminUrl}/api/v1/explain?method=eth_getBalance`)).json()) as { candidates: { name: string; reasons: { reason: string; words: string }[] }[] };
  expect(told.candidates.at(-1)).toMatchObject({ name: 'n0', reasons: [{ reason: 'budget', words: expect.stringContaining('its budget of 0.001 calls/s is used up') }] });
  expect(await (await fetch(`${adminUrl}/metrics`)).text()).toMatch(/tidegate_upstream_budget_passed_total\{chain="test",upstream="n0"\} [1-9]/);
});

test('calls that nobody has budget for wait their turn, and are refused where that is too long', async () => {
  const { url, adminUrl } = await start([{ callsPerS: 40, burst: 10 }], { budgetWaitMs: '10s' });
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => ask(url, i)));
  expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
  expect(await (await fetch(`${adminUrl}/metrics`)).text()).toMatch(/tidegate_budget_waits_total\{chain="test"\} [1-9]/);
});

test('a call that cannot wait is refused with Retry-After, and reaches no node', async () => {
  const { url } = await start([{ callsPerS: 0.001, burst: 3 }], { budgetWaitMs: 0 });
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => ask(url, i)));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(7);
  expect(refused.every(({ json, retryAfter }) => json.error?.code === -32005 && Number(retryAfter) > 0)).toBe(true);
  expect(one.calls.length).toBe(10 - refused.length);
});

test('probes count against the budget', async () => {
  const { adminUrl } = await start([{ callsPerS: 1, burst: 1 }]);
  const look = async (): Promise<unknown> => (await fetch(`${adminUrl}/api/v1/explain?method=eth_getBalance`)).json();
  await vi.waitFor(async () => expect(await look()).toMatchObject({ candidates: [{ name: 'n0', reasons: [{ reason: 'budget' }] }] }), { timeout: 20_000 });
  expect(one.calls).toEqual([]);
});

test('a client that leaves while it waits gives its place back', async () => {
  const { url, adminUrl } = await start([{ callsPerS: 2, burst: 1 }], { budgetWaitMs: '60s' });
  const leave = new AbortController();
  const left = fetch(url, { method: 'POST', signal: leave.signal, headers: { 'content-type': 'application/json' }, body: JSON.stringify([...Array(40).keys()].map((id) => ({ jsonrpc: '2.0', id, method: call(id)[0], params: call(id)[1] }))) });
  await vi.waitFor(async () => expect(await (await fetch(`${adminUrl}/metrics`)).text()).toMatch(/tidegate_in_flight (39|40)/), { timeout: 20_000 });
  leave.abort();
  await expect(left).rejects.toThrow();
  await vi.waitFor(async () => expect(await (await fetch(`${adminUrl}/metrics`)).text()).toMatch(/tidegate_in_flight 0/), { timeout: 20_000 });
  const before = one.calls.length;
  expect((await ask(url, 99)).status).toBe(200);
  expect(one.calls.length - before).toBeLessThan(10);
});
