import { afterEach, describe, expect, test, vi } from 'vitest';
import { ENGINES } from '../help/edge.ts';
import { gauges, untilQuiet } from '../help/edgePressure.ts';
import { begin, hear } from '../help/largeCall.ts';
import { LogChain, hex, numbers, randomAsk } from '../help/logChain.ts';
import { logWorld, tell } from '../help/logWorld.ts';
import type { LogWorld } from '../help/logWorld.ts';

const HEAD = 400;
let opened: LogWorld | null = null;

afterEach(async () => {
  await opened?.close();
  opened = null;
});

async function world(engine: 'uws' | 'node', server: Readonly<Record<string, unknown>>): Promise<LogWorld> {
  opened = await logWorld(new LogChain(HEAD), [{ limit: 50 }, { limit: 20 }], {}, { engine, server });
  return opened;
}

describe.each(ENGINES)('large lists of logs on %s', (engine) => {
  test('are written as their reader takes them, merged from many calls and stored intervals, and are whole', async () => {
    const { chain, gateway } = await world(engine, { streamAboveBytes: 600 });
    const next = numbers(7);
    for (let i = 0; i < 200; i++) {
      const params = randomAsk(next, chain);
      const told = await tell(gateway.url, 'eth_getLogs', [params]);
      expect({ params, result: told.result }).toEqual({ params, result: chain.query(params) });
    }
    const filter = (await tell(gateway.url, 'eth_newFilter', [{ fromBlock: '0x1', toBlock: hex(300) }])).result;
    expect((await tell(gateway.url, 'eth_getFilterLogs', [filter])).result).toEqual(chain.query({ fromBlock: '0x1', toBlock: hex(300) }));
    await vi.waitFor(async () => expect((await gauges(gateway)).inFlight).toBe(0), 10_000);
  });

  test('keep their place among the calls under way until they are through, or their client has left', async () => {
    const { chain, gateway } = await world(engine, { streamAboveBytes: 600, maxInFlight: 1 });
    const params = [{ fromBlock: '0x1', toBlock: hex(300) }];
    const begun = await begin(gateway.url, '"é"', {}, { method: 'eth_getLogs', params });
    const heard = await hear(begun);
    expect(heard.whole).toBe(true);
    expect(Number(heard.headers['content-length'])).toBe(heard.body.length);
    expect(JSON.parse(heard.body.toString())).toEqual({ jsonrpc: '2.0', id: 'é', result: chain.query(params[0] ?? {}) });
    (await begin(gateway.url, '2', {}, { method: 'eth_getLogs', params })).sent.destroy();
    await untilQuiet(gateway);
    expect((await tell(gateway.url, 'eth_getLogs', params)).result).toEqual(chain.query(params[0] ?? {}));
  });
});
