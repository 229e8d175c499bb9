import { afterEach, describe, expect, it, vi } from 'vitest';
import { testAnvil } from '../help/anvil.ts';
import { rpc } from '../help/client.ts';
import { testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { ScriptNode } from '../help/scriptNode.ts';
import type { Say } from '../help/scriptNode.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(say: ScriptNode['say'], batch: Readonly<Record<string, unknown>>): Promise<{ node: ScriptNode; gateway: TestGateway }> {
  const node = await ScriptNode.start(say);
  open.push(node);
  const gateway = await testGateway([{ name: 'a', httpUrl: node.httpUrl, options: { batch } }]);
  open.push(gateway);
  await gateway.until((upstreams) => upstreams.a?.state === 'serving');
  return { node, gateway };
}

async function balance(gateway: TestGateway, id: number): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_getBalance', params: [`0x${id.toString(16).padStart(40, '0')}`, 'latest'] });
  const response = await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return response.json();
}

const echo = (call: { readonly params: unknown }): Say => ({ result: JSON.stringify((call.params as string[])[0]) });

const answerOf = (id: number): unknown => ({ jsonrpc: '2.0', id, result: `0x${id.toString(16).padStart(40, '0')}` });

const ids = Array.from({ length: 40 }, (_, i) => i + 1);

describe('calls that wait for a node', () => {
  it('leave together, and each client gets the answer to its own call under its own id', async () => {
    const { node, gateway } = await start(echo, { enabled: true });
    let release: () => void = () => undefined;
    node.hold = new Promise((resolve) => {
      release = resolve;
    });
    const asked = ids.map((id) => balance(gateway, id));
    await vi.waitFor(async () => expect((await gateway.upstreams()).a?.inFlight).toBe(ids.length));
    release();
    expect(await Promise.all(asked)).toEqual(ids.map(answerOf));
    expect(node.batches.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(0);
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/tidegate_upstream_batches_total\{chain="test",upstream="a",outcome="answered"\} [1-9]/);
  });

  it('go one by one where that is wanted', async () => {
    const { node, gateway } = await start(echo, { enabled: false });
    expect(await Promise.all(ids.map((id) => balance(gateway, id)))).toEqual(ids.map(answerOf));
    expect(node.batches).toEqual([]);
  });

  it('get their answers from a node that takes no batches, too', async () => {
    const { node, gateway } = await start(echo, { enabled: true });
    node.refusesBatches = true;
    expect(await Promise.all(ids.map((id) => balance(gateway, id)))).toEqual(ids.map(answerOf));
    expect((await gateway.upstreams()).a?.state).toBe('serving');
  });

  it('are answered by a real node as they would be one by one', async () => {
    const anvil = await testAnvil();
    open.push({ close: async () => void (await anvil.stop(2_000)) });
    const gateway = await testGateway([{ name: 'a', httpUrl: `http://127.0.0.1:${anvil.port}`, options: { batch: { enabled: true } } }], { chain: { cache: { enabled: false } } });
    open.push(gateway);
    await gateway.until((upstreams) => upstreams.a?.state === 'serving');
    for (const id of ids) await rpc(`http://127.0.0.1:${anvil.port}`, 'anvil_setBalance', [`0x${id.toString(16).padStart(40, '0')}`, `0x${(id * 1000).toString(16)}`]);
    const answers = await Promise.all(ids.map((id) => balance(gateway, id)));
    expect(answers).toEqual(ids.map((id) => ({ jsonrpc: '2.0', id, result: `0x${(id * 1000).toString(16)}` })));
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/tidegate_upstream_batches_total\{chain="test",upstream="a",outcome="answered"\} [1-9]/);
    expect(metrics).toContain('tidegate_upstream_batches_total{chain="test",upstream="a",outcome="refused"} 0');
  });

  it('the error of one is nothing to the others', async () => {
    const say = (call: { readonly params: unknown }): Say =>
      (call.params as string[])[0]?.endsWith('7') === true ? { error: '{"code":3,"message":"execution reverted","data":"0x08c379a0"}' } : echo(call);
    const { gateway } = await start(say, { enabled: true });
    const answers = await Promise.all(ids.map((id) => balance(gateway, id)));
    for (const id of ids) {
      const reverted = { jsonrpc: '2.0', id, error: { code: 3, message: 'execution reverted', data: '0x08c379a0' } };
      expect(answers[id - 1]).toEqual(id.toString(16).endsWith('7') ? reverted : answerOf(id));
    }
  });
});
