import { afterEach, expect, test, vi } from 'vitest';
import { LogChain, hex } from '../help/logChain.ts';
import { WORDINGS } from '../help/logNode.ts';
import type { LogNode, LogNodeOptions } from '../help/logNode.ts';
import { logWorld, tell } from '../help/logWorld.ts';
import type { LogWorld } from '../help/logWorld.ts';

const PATIENCE = { timeout: 20_000, interval: 10 };
const LIMITED: LogNodeOptions = { limit: 10, wording: WORDINGS[0] as NonNullable<LogNodeOptions['wording']> };
let opened: LogWorld | null = null;

afterEach(async () => {
  await opened?.close();
  opened = null;
});

async function world(options: readonly LogNodeOptions[], logs: object): Promise<LogWorld> {
  opened = await logWorld(new LogChain(300), options, { cache: { maxBytes: 0 }, ...logs });
  return opened;
}

test('of one query, and of all together, no more calls are under way than the config says', async () => {
  const { chain, nodes, gateway } = await world([LIMITED], { maxQueryConcurrency: 3, maxConcurrency: 5 });
  const [node] = nodes as [LogNode];
  const params = { fromBlock: hex(1), toBlock: hex(200) };
  // learns the node's limit
  await tell(gateway.url, 'eth_getLogs', [params]);
  for (const [queries, most] of [[1, 3], [4, 5]] as const) {
    let release = (): void => undefined;
    node.hold = new Promise((resolve) => {
      release = resolve;
    });
    node.mostUnderWay = 0;
    const told = Array.from({ length: queries }, () => tell(gateway.url, 'eth_getLogs', [params]));
    await vi.waitFor(() => expect(node.underWay).toBe(most), PATIENCE);
    node.hold = null;
    release();
    for (const { result } of await Promise.all(told)) expect(result).toEqual(chain.query(params));
    expect(node.mostUnderWay).toBe(most);
  }
});

test('nodes that say 429 are asked again later, and the answer is whole', async () => {
  const { chain, nodes, gateway } = await world([LIMITED, LIMITED], {});
  const params = { fromBlock: hex(1), toBlock: hex(250) };
  for (const node of nodes) node.busy = 4;
  expect((await tell(gateway.url, 'eth_getLogs', [params])).result).toEqual(chain.query(params));
  expect(nodes.every(({ busy }) => busy < 4)).toBe(true);
}, 30_000);
