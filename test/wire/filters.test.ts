import { afterEach, expect, test } from 'vitest';
import { LogChain, numbers, randomAsk } from '../help/logChain.ts';
import type { ChainLog, LogAsk } from '../help/logChain.ts';
import { logWorld, tell } from '../help/logWorld.ts';
import type { LogWorld } from '../help/logWorld.ts';

const CLIENTS = 200;
/** What begins the hashes of blocks that were there before the filters. */
const OLD = '0x61';
let opened: LogWorld | null = null;

afterEach(async () => {
  await opened?.close();
  opened = null;
});

async function world(nodes: number, filters: object = {}): Promise<LogWorld> {
  opened = await logWorld(new LogChain(100), Array.from({ length: nodes }, () => ({})), { filters });
  return opened;
}

/** Polls one filter and applies what it hears. */
class Poller {
  readonly ask: LogAsk | null;
  readonly logs: ChainLog[] = [];
  readonly hashes: string[] = [];
  removed = 0;
  readonly #url: string;
  readonly #id: string;

  private constructor(url: string, id: string, ask: LogAsk | null) {
    this.#url = url;
    this.#id = id;
    this.ask = ask;
  }

  static async make(url: string, ask: LogAsk | null): Promise<Poller> {
    const { result } = ask === null ? await tell(url, 'eth_newBlockFilter', []) : await tell(url, 'eth_newFilter', [ask]);
    return new Poller(url, String(result), ask);
  }

  async poll(): Promise<void> {
    const { result, error } = await tell(this.#url, 'eth_getFilterChanges', [this.#id]);
    if (error !== undefined) throw new Error(error.message);
    for (const change of result as (string | ChainLog)[]) {
      if (typeof change === 'string') this.hashes.push(change);
      else if (!change.removed) this.logs.push(change);
      else {
        this.removed++;
        expect({ ...change, removed: false }).toEqual(this.logs.pop());
      }
    }
  }
}

test('200 clients hear of every change, once and in order, while nodes die and the chain is reorganised', async () => {
  const { chain, nodes, gateway } = await world(4, { maxPerClient: 1000 });
  const next = numbers(5);
  const filterOf = (): LogAsk | null => {
    const { address, topics } = randomAsk(next, chain);
    return next(4) === 0 ? null : { ...(address === undefined ? {} : { address }), ...(topics === undefined ? {} : { topics }) };
  };
  const pollers = await Promise.all(Array.from({ length: CLIENTS }, () => Poller.make(gateway.url, filterOf())));
  for (let step = 0; step < 12; step++) {
    if (step % 3 === 2) chain.reorg(1 + next(3), String.fromCharCode(98 + step));
    else chain.grow(1 + next(2), String.fromCharCode(98 + step));
    if (step === 4) await nodes[0]?.close();
    if (step === 8) await nodes[1]?.close();
    const { number, hash } = chain.head;
    await gateway.until((_, { head }) => head?.number === number && head.hash === hash);
    await Promise.all(pollers.filter(() => next(2) === 0).map((poller) => poller.poll()));
  }
  const last = chain.head.hash;
  const heads = pollers.filter(({ ask }) => ask === null);
  for (let turn = 0; turn < 400 && !heads.every(({ hashes }) => hashes.at(-1) === last); turn++) await Promise.all(heads.map((poller) => poller.poll()));
  // the logs of a block may take longer than its header
  const wanted = (ask: LogAsk): readonly ChainLog[] => chain.query({ ...ask, fromBlock: 'earliest' }).filter(({ blockHash }) => !blockHash.startsWith(OLD));
  const isLate = ({ ask, logs }: Poller): boolean => ask !== null && JSON.stringify(logs) !== JSON.stringify(wanted(ask));
  for (let turn = 0; turn < 400 && pollers.some(isLate); turn++) await Promise.all(pollers.filter(isLate).map((poller) => poller.poll()));
  for (const { ask, logs, hashes } of pollers) {
    if (ask !== null) expect(logs).toEqual(wanted(ask));
    else {
      expect(hashes.at(-1)).toBe(last);
      expect(new Set(hashes).size).toBe(hashes.length);
      const heard = new Set(hashes);
      expect(chain.blocks.filter(({ hash }) => !hash.startsWith(OLD) && !heard.has(hash))).toEqual([]);
    }
  }
  expect(pollers.reduce((sum, { removed }) => sum + removed, 0)).toBeGreaterThan(0);
}, 60_000);

test('all logs of a filter are those of its query; it is gone once uninstalled, and never another', async () => {
  const { chain, gateway } = await world(1);
  const { result: id } = await tell(gateway.url, 'eth_newFilter', [{ fromBlock: '0x5', toBlock: '0x30' }]);
  expect((await tell(gateway.url, 'eth_getFilterLogs', [id])).result).toEqual(chain.query({ fromBlock: '0x5', toBlock: '0x30' }));
  expect((await tell(gateway.url, 'eth_getFilterChanges', [id])).result).toEqual([]);
  expect((await tell(gateway.url, 'eth_uninstallFilter', [id])).result).toBe(true);
  expect((await tell(gateway.url, 'eth_uninstallFilter', [id])).result).toBe(false);
  expect((await tell(gateway.url, 'eth_getFilterChanges', [id])).error).toMatchObject({ code: -32000, message: 'filter not found' });
  const { result: heads } = await tell(gateway.url, 'eth_newBlockFilter', []);
  expect((await tell(gateway.url, 'eth_getFilterLogs', [heads])).error?.message).toBe('filter not found');
  expect((await tell(gateway.url, 'eth_newFilter', [{ address: [], Address: [] }])).error?.message).toBe('invalid params: params[0] has a member twice');
  expect((await tell(gateway.url, 'eth_newFilter', [{ topics: ['0x1'] }])).error?.message).toBe('invalid params: params[0].topics[0] is not a 32-byte word');
});

test('a client has so many filters and no more', async () => {
  const { gateway } = await world(1, { maxPerClient: 2 });
  const made = await Promise.all([1, 2, 3].map(() => tell(gateway.url, 'eth_newBlockFilter', [])));
  expect(made.map(({ error }) => error?.code).filter(Boolean)).toEqual([-32005]);
});
