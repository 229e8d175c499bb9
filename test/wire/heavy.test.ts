import { afterEach, expect, test, vi } from 'vitest';
import { testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { tell } from '../help/logWorld.ts';
import { ScriptNode } from '../help/scriptNode.ts';

let node: ScriptNode;
let gateway: TestGateway;

afterEach(async () => {
  await gateway.close();
  await node.close();
});

const trace = (name: string) => tell(gateway.url, 'debug_traceTransaction', [name.padEnd(66, '0')]);

test('traces wait in a line of their own, which light calls pass by, and which is bounded', async () => {
  node = await ScriptNode.start(() => ({ result: '"done"' }));
  gateway = await testGateway([{ name: 'a', httpUrl: node.httpUrl }], { chain: { chainId: 1, routing: { heavy: { maxInFlight: 1, maxWaiting: 1 } } } });
  let release = (): void => undefined;
  node.hold = new Promise((resolve) => {
    release = resolve;
  });
  const first = trace('0x1');
  await vi.waitFor(() => expect(node.calls).toHaveLength(1), 10_000);
  // one of the two waits, the other is refused at once
  const others = [trace('0x2'), trace('0x3')];
  expect((await Promise.race(others)).error).toMatchObject({ code: -32005, message: 'the gateway is at its limit: 1 traces and debug calls wait' });
  const held = node.hold;
  node.hold = null;
  expect((await tell(gateway.url, 'eth_gasPrice', [])).result).toBe('done');
  expect(node.calls.filter(({ method }) => method === 'debug_traceTransaction')).toHaveLength(1);
  release();
  await held;
  expect((await first).result).toBe('done');
  expect((await Promise.all(others)).filter(({ result }) => result === 'done')).toHaveLength(1);
  expect((await trace('0x4')).result).toBe('done');
});
