import { afterEach, describe, expect, test, vi } from 'vitest';
import { testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { tell } from '../help/logWorld.ts';
import { ScriptNode } from '../help/scriptNode.ts';

let nodes: ScriptNode[] = [];
let gateway: TestGateway;
let release = (): void => undefined;

afterEach(async () => {
  release();
  await gateway.close();
  for (const node of nodes.splice(0)) await node.close();
});

/** A gateway before nodes that take `maxInFlight` calls each and hold them until `release()`. */
async function start(maxInFlight: number, { count = 1, budgetWaitMs = 10_000 } = {}): Promise<void> {
  const hold = new Promise<void>((resolve) => {
    release = resolve;
  });
  nodes = await Promise.all(Array.from({ length: count }, () => ScriptNode.start(() => ({ result: '"done"' }))));
  gateway = await testGateway(
    nodes.map(({ httpUrl }, i) => ({ name: `n${i}`, httpUrl, options: { maxInFlight, batch: { enabled: false } } })),
    { chain: { chainId: 1, cache: { enabled: false }, coalescing: { enabled: false }, routing: { budgetWaitMs, hedge: { enabled: false } } } },
  );
  for (const node of nodes) node.hold = hold;
}

const asked = (): number => nodes.reduce((sum, { calls }) => sum + calls.filter(({ method }) => method === 'eth_call').length, 0);
const call = (n: number) => ({ jsonrpc: '2.0', id: n, method: 'eth_call', params: [{ to: `0x${n.toString(16).padStart(40, '0')}` }, 'latest'] });
const ask = (n: number) => tell(gateway.url, 'eth_call', call(n).params);

async function inFlight(): Promise<number> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return Number(/^tidegate_in_flight (\d+)/m.exec(text)?.[1]);
}

async function batch(from: number, size: number): Promise<{ id: number; result?: string }[]> {
  const body = JSON.stringify(Array.from({ length: size }, (_, i) => call(from + i)));
  const response = await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return (await response.json()) as { id: number; result?: string }[];
}

describe('calls beyond the places of all nodes', () => {
  test('wait until one ends, singly and in batches; no node gets more than its maxInFlight at once', async () => {
    await start(4, { count: 2 });
    const batches = [batch(0, 40), batch(100, 40), batch(200, 40)];
    await vi.waitFor(() => expect(asked()).toBe(8), 10_000);
    const lone = ask(1000);
    release();
    for (const answers of await Promise.all(batches)) expect(answers.map(({ result }) => result)).toEqual(Array.from({ length: 40 }, () => 'done'));
    expect((await lone).result).toBe('done');
    expect(asked()).toBe(121);
  });

  test('are refused when budgetWaitMs is over, and the node is asked nothing for them', async () => {
    await start(1, { budgetWaitMs: 30 });
    const first = ask(1);
    await vi.waitFor(() => expect(asked()).toBe(1), 10_000);
    expect((await ask(2)).error).toMatchObject({ code: -32005, message: 'the gateway is at its limit' });
    release();
    expect((await first).result).toBe('done');
    expect(asked()).toBe(1);
  });

  test('leave the line when their client is gone', async () => {
    await start(1);
    const first = ask(1);
    await vi.waitFor(() => expect(asked()).toBe(1), 10_000);
    const gone = new AbortController();
    const second = fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(call(2)), signal: gone.signal });
    const third = ask(3);
    await vi.waitFor(async () => expect(await inFlight()).toBe(3), 10_000);
    gone.abort();
    await expect(second).rejects.toThrow();
    await vi.waitFor(async () => expect(await inFlight()).toBe(2), 10_000);
    release();
    expect([(await first).result, (await third).result]).toEqual(['done', 'done']);
    expect(asked()).toBe(2);
  });
});
