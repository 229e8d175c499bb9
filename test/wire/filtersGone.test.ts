import { afterEach, expect, test, vi } from 'vitest';
import { LogChain } from '../help/logChain.ts';
import { logWorld, tell } from '../help/logWorld.ts';
import type { LogWorld } from '../help/logWorld.ts';

const PATIENCE = { timeout: 20_000, interval: 50 };
let opened: LogWorld | null = null;

afterEach(async () => {
  await opened?.close();
  opened = null;
});

async function world(filters: object): Promise<LogWorld> {
  opened = await logWorld(new LogChain(60, 200), [{}], { filters });
  return opened;
}

async function metric(gateway: LogWorld['gateway'], line: string): Promise<number> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return Number(text.split('\n').find((each) => each.startsWith(line))?.split(' ').at(-1));
}

const dropped = (gateway: LogWorld['gateway'], reason: string): Promise<number> => metric(gateway, `tidegate_filters_dropped_total{chain="test",reason="${reason}"}`);

test('a filter that nobody reads expires, one that is read does not', async () => {
  const { gateway } = await world({ idleMs: 1000 });
  const [unread, read] = (await Promise.all(['eth_newFilter', 'eth_newBlockFilter'].map((method) => tell(gateway.url, method, method === 'eth_newFilter' ? [{}] : [])))).map(({ result }) => result);
  await vi.waitFor(async () => {
    expect((await tell(gateway.url, 'eth_getFilterChanges', [read])).result).toEqual([]);
    expect(await dropped(gateway, 'idle')).toBe(1);
  }, PATIENCE);
  expect((await tell(gateway.url, 'eth_getFilterChanges', [unread])).error).toMatchObject({ code: -32000, message: 'filter not found' });
  expect((await tell(gateway.url, 'eth_getFilterLogs', [unread])).error?.message).toBe('filter not found');
  expect((await tell(gateway.url, 'eth_uninstallFilter', [unread])).result).toBe(false);
  expect(await metric(gateway, 'tidegate_filters{')).toBe(1);
});

test('a filter with more unread changes than may be held is dropped whole, never short of some; others go on', async () => {
  const { chain, gateway } = await world({ maxHeldBytes: 1024 });
  const { result: unread } = await tell(gateway.url, 'eth_newFilter', [{}]);
  const { result: heads } = await tell(gateway.url, 'eth_newBlockFilter', []);
  for (let i = 0; i < 8; i++) {
    chain.grow(1);
    const { number } = chain.head;
    await gateway.until((_, { head }) => head?.number === number);
  }
  await vi.waitFor(async () => expect(await dropped(gateway, 'overflow')).toBe(1), PATIENCE);
  expect((await tell(gateway.url, 'eth_getFilterChanges', [unread])).error).toMatchObject({ code: -32000, message: 'filter not found' });
  const heard: unknown[] = [];
  await vi.waitFor(async () => {
    heard.push(...((await tell(gateway.url, 'eth_getFilterChanges', [heads])).result as unknown[]));
    expect(heard).toEqual(chain.blocks.slice(-8).map(({ hash }) => hash));
  }, PATIENCE);
});
