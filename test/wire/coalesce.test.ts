import { afterEach, describe, expect, it, vi } from 'vitest';
import { testGateway } from '../help/gateway.ts';
import type { GatewayChoice, TestGateway } from '../help/gateway.ts';
import { ScriptNode } from '../help/scriptNode.ts';
import type { Say } from '../help/scriptNode.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const ACCOUNT = '0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B';

interface Bench {
  readonly node: ScriptNode;
  readonly gateway: TestGateway;
  /** Lets the node answer what it holds, and all that follows. */
  release(): void;
}

/** A node that holds its answers, and a gateway in front that stores none. */
async function bench(say: ScriptNode['say'] = () => ({ result: '"0x7"' }), chain: GatewayChoice['chain'] = {}): Promise<Bench> {
  const node = await ScriptNode.start(say);
  open.push(node);
  const gateway = await testGateway([{ name: 'a', httpUrl: node.httpUrl }], { chain: { cache: { enabled: false }, routing: { hedge: { enabled: false } }, ...chain } });
  open.push(gateway);
  await gateway.until((upstreams, { head }) => upstreams.a?.state === 'serving' && head !== null);
  let release: () => void = () => undefined;
  node.hold = new Promise((resolve) => {
    release = resolve;
  });
  return { node, gateway, release: () => release() };
}

interface Asked {
  readonly body: { readonly id: unknown; readonly result?: unknown; readonly error?: { readonly code: number } };
  readonly cache: string | null;
}

interface Question {
  readonly method?: string;
  readonly params?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

async function ask(gateway: TestGateway, id: unknown, { method = 'eth_getBalance', params = [ACCOUNT, 'latest'], headers = {}, signal }: Question = {}): Promise<Asked> {
  const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
  const response = await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body, ...(signal === undefined ? {} : { signal }) });
  return { body: (await response.json()) as Asked['body'], cache: response.headers.get('x-tidegate-cache') };
}

/** Calls of clients that the gateway has under way. */
async function underWay(gateway: TestGateway, count: number): Promise<void> {
  await vi.waitFor(async () => expect(await metric(gateway, 'tidegate_in_flight')).toBe(count), { timeout: 10_000, interval: 10 });
}

async function metric(gateway: TestGateway, series: string): Promise<number> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.split(' ')[1] ?? Number.NaN);
}

const coalesced = (gateway: TestGateway, outcome: string): Promise<number> => metric(gateway, `tidegate_coalesced_calls_total{chain="test",outcome="${outcome}"}`);

describe('equal calls in flight', () => {
  it('share one call to a node, each answered under its own id', async () => {
    const { node, gateway, release } = await bench();
    const ids = [1, 'one', 2.5, null, -3, 'ü', 1];
    const asked = ids.map((id) => ask(gateway, id));
    await underWay(gateway, ids.length);
    expect(node.calls).toHaveLength(1);
    release();
    const answers = await Promise.all(asked);
    expect(answers.map(({ body }) => body)).toEqual(ids.map((id) => ({ jsonrpc: '2.0', id, result: '0x7' })));
    expect(answers.map(({ cache }) => cache).sort()).toEqual(['bypass', ...ids.slice(1).map(() => 'coalesced')]);
    expect(node.calls).toHaveLength(1);
    expect(await coalesced(gateway, 'shared')).toBe(ids.length - 1);
  });

  it('are those that mean the same, however written', async () => {
    const { node, gateway, release } = await bench();
    const asked = [[ACCOUNT, 'latest'], [ACCOUNT.toLowerCase(), 'latest'], [ACCOUNT, '0x64'], [ACCOUNT, '0x064']].map((params, id) => ask(gateway, id, { params }));
    await underWay(gateway, asked.length);
    expect(node.calls).toHaveLength(1);
    release();
    for (const { body } of await Promise.all(asked)) expect(body.result).toBe('0x7');
  });

  it.each<[string, Question, Question]>([
    ['other accounts', {}, { params: [`0x${'1'.repeat(40)}`, 'latest'] }],
    ['other blocks', {}, { params: [ACCOUNT, '0x63'] }],
    ['pending', { params: [ACCOUNT, 'pending'] }, { params: [ACCOUNT, 'pending'] }],
    ['writes', { method: 'eth_sendRawTransaction', params: ['0x02'] }, { method: 'eth_sendRawTransaction', params: ['0x02'] }],
    ['what is never stored', { method: 'txpool_status', params: [] }, { method: 'txpool_status', params: [] }],
    ['unknown methods', { method: 'foo_bar', params: [] }, { method: 'foo_bar', params: [] }],
    ['params with twins', { method: 'eth_call', params: [{ to: ACCOUNT, TO: ACCOUNT }, 'latest'] }, { method: 'eth_call', params: [{ to: ACCOUNT, TO: ACCOUNT }, 'latest'] }],
    ['who wants no cache', { headers: { 'cache-control': 'no-cache' } }, { headers: { 'cache-control': 'no-cache' } }],
  ])('%s are not shared', async (_name, first, second) => {
    const { node, gateway, release } = await bench();
    const asked = [ask(gateway, 1, first), ask(gateway, 2, second)];
    await vi.waitFor(() => expect(node.calls).toHaveLength(2));
    release();
    for (const { cache } of await Promise.all(asked)) expect(cache).not.toBe('coalesced');
  });

  it('are not shared where that is not wanted', async () => {
    const { node, gateway, release } = await bench(undefined, { coalescing: { enabled: false } });
    const asked = [ask(gateway, 1), ask(gateway, 2)];
    await vi.waitFor(() => expect(node.calls).toHaveLength(2));
    release();
    await Promise.all(asked);
  });

  it('in one batch of a client share, too', async () => {
    const { node, gateway, release } = await bench();
    const entry = (id: number, block: string): unknown => ({ jsonrpc: '2.0', id, method: 'eth_getBalance', params: [ACCOUNT, block] });
    const body = JSON.stringify([entry(1, 'latest'), entry(2, 'latest'), entry(3, '0x5'), entry(4, '0x64')]);
    const asked = fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    await vi.waitFor(() => expect(node.calls).toHaveLength(2));
    release();
    const answers = (await (await asked).json()) as { id: number; result: string }[];
    expect(answers.map(({ id, result }) => [id, result])).toEqual([[1, '0x7'], [2, '0x7'], [3, '0x7'], [4, '0x7']]);
    expect(node.calls).toHaveLength(2);
  });

  it('share the revert of one', async () => {
    const revert = { code: 3, message: 'execution reverted', data: '0x08c379a0' };
    const { node, gateway, release } = await bench(() => ({ error: JSON.stringify(revert) }));
    const question = { method: 'eth_call', params: [{ to: ACCOUNT, data: '0x01' }, 'latest'] };
    const asked = [1, 2, 3].map((id) => ask(gateway, id, question));
    await underWay(gateway, 3);
    release();
    for (const { body } of await Promise.all(asked)) expect(body.error).toEqual(revert);
    expect(node.calls).toHaveLength(1);
  });
});

describe('who leaves', () => {
  it('does not stop the others, the first one included', async () => {
    const { node, gateway, release } = await bench();
    const leaving = new AbortController();
    const first = ask(gateway, 1, { signal: leaving.signal }).catch(() => 'left');
    await underWay(gateway, 1);
    const others = [ask(gateway, 2), ask(gateway, 3)];
    await underWay(gateway, 3);
    leaving.abort();
    expect(await first).toBe('left');
    await vi.waitFor(async () => expect(await metric(gateway, 'tidegate_client_gone_total')).toBe(1));
    release();
    expect((await Promise.all(others)).map(({ body }) => body.result)).toEqual(['0x7', '0x7']);
    expect(node.calls).toHaveLength(1);
    expect(await metric(gateway, 'tidegate_requests_total{chain="test",outcome="gone"}')).toBe(1);
    expect(await metric(gateway, 'tidegate_in_flight')).toBe(0);
  });

  it('last stops the call', async () => {
    const { node, gateway } = await bench(() => 'hang');
    const leaving = [1, 2, 3].map(() => new AbortController());
    const asked = Promise.allSettled(leaving.map(({ signal }, id) => ask(gateway, id, { signal })));
    await underWay(gateway, 3);
    leaving[0]?.abort();
    leaving[2]?.abort();
    await vi.waitFor(async () => expect(await metric(gateway, 'tidegate_client_gone_total')).toBe(2));
    expect(node.cut).toBe(0);
    leaving[1]?.abort();
    await vi.waitFor(() => expect(node.cut).toBe(1));
    expect((await asked).every(({ status }) => status === 'rejected')).toBe(true);
    await underWay(gateway, 0);
  });
});

describe('a leader that fails', () => {
  /** Fails its first calls, then answers. */
  const failing = (failures: number): ScriptNode['say'] => {
    let asked = 0;
    return (): Say => (asked++ < failures ? { error: '{"code":-32000,"message":"database is locked"}' } : { result: '"0x7"' });
  };

  it('does not fail those that wait: one of them goes on for all', async () => {
    const { node, gateway, release } = await bench(failing(1));
    const asked = [1, 2, 3, 4].map((id) => ask(gateway, id));
    await underWay(gateway, 4);
    release();
    const answers = await Promise.all(asked);
    expect(answers.filter(({ body }) => body.error !== undefined)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.result === '0x7')).toHaveLength(3);
    expect(node.calls).toHaveLength(2);
    expect([await coalesced(gateway, 'led'), await coalesced(gateway, 'shared')]).toEqual([1, 2]);
  });

  it('fails them when the retry budget is used up', async () => {
    const { node, gateway, release } = await bench(failing(100), { routing: { hedge: { enabled: false }, retryBudget: { percent: 0, reservePerS: 0 } } });
    const asked = [1, 2, 3].map((id) => ask(gateway, id));
    await underWay(gateway, 3);
    release();
    for (const { body } of await Promise.all(asked)) expect(body.error).toBeDefined();
    expect(node.calls).toHaveLength(1);
  });
});
