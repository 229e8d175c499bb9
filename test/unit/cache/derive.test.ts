import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Proofs } from '../../../src/cache/derive/proofs.ts';
import type { Compared } from '../../../src/cache/derive/proofs.ts';
import { readBlock, readLogParts, readReceipts } from '../../../src/cache/derive/parts.ts';
import { Sources } from '../../../src/cache/derive/sources.ts';
import { derive } from '../../../src/cache/derive/targets.ts';
import { TxIndex } from '../../../src/cache/derive/txIndex.ts';
import type { Entry } from '../../../src/cache/entry.ts';
import { KeyReader } from '../../../src/cache/key.ts';
import { planOf } from '../../../src/cache/plan.ts';
import { askOf } from '../../../src/cache/rule.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import { HandView, hashOf } from '../../help/chainView.ts';

const catalog = evmCatalog();
const txOf = (n: number): string => `0x${n.toString(16).padStart(64, 'e')}`;
const transaction = (block: string, index: number, tx: number): object => ({ blockHash: block, transactionIndex: `0x${index.toString(16)}`, hash: txOf(tx), type: '0x2', input: '0x"'.slice(0, 2) });
const blockOf = (number: number, branch: string, txs: readonly number[]): object => {
  const hash = hashOf(number, branch);
  return { number: `0x${number.toString(16)}`, hash, uncles: [], transactions: txs.map((tx, index) => transaction(hash, index, tx)) };
};
const log = (address: string, ...topics: readonly string[]): object => ({ address, topics, data: '0x' });
const A = `0x${'Aa'.repeat(20)}`;
const B = `0x${'bb'.repeat(20)}`;
const T = `0x${'01'.repeat(32)}`;
const receiptsOf = (number: number, txs: readonly number[]): object[] =>
  txs.map((tx, index) => ({ blockHash: hashOf(number), transactionIndex: `0x${index.toString(16)}`, transactionHash: txOf(tx), type: '0x0', logs: [log(A), log(B, T), log(A, T, T)] }));

/** A shelf with entries of a chain that a test moves by hand. */
class World {
  readonly view = new HandView();
  readonly entries = new Map<string, Entry>();
  readonly sources = new Sources({ source: (key) => this.entries.get(key) ?? null }, 100);
  readonly #reader = new KeyReader();

  ask(method: string, params: readonly unknown[]): ReturnType<typeof askOf> {
    return askOf(planOf(catalog.find(method) ?? catalog.unknownSpec), JSON.stringify(params), this.view, this.#reader);
  }

  put(method: string, params: readonly unknown[], value: unknown, change: Partial<Entry> = {}): void {
    const { key, number } = this.ask(method, params);
    const entry: Entry = { key, value: Buffer.from(JSON.stringify(value)), isError: false, bond: 'block', number, hash: hashOf(number), askedMs: 0, class: 'unfinalized', client: 'c', ...change };
    this.entries.set(key, entry);
    this.sources.onStored(entry);
  }

  derived(method: string, params: readonly unknown[], nowMs = 0): unknown[] {
    return [...derive(this.sources, { ask: this.ask(method, params), sight: this.view, nowMs })].map(({ value }) => JSON.parse(value.toString()) as unknown);
  }
}

describe('a call is answered of a stored block', () => {
  const txs = [1, 2, 3];
  const stored = (): World => {
    const world = new World();
    world.derived('eth_getTransactionByHash', [txOf(1)]);
    world.put('eth_getBlockByNumber', ['0x5f', true], blockOf(95, 'a', txs));
    return world;
  };

  it('by number, by hash and by the hash of a transaction', () => {
    const world = stored();
    expect(world.derived('eth_getTransactionByBlockNumberAndIndex', ['0x5f', '0x1'])).toEqual([transaction(hashOf(95), 1, 2)]);
    expect(world.derived('eth_getTransactionByBlockHashAndIndex', [hashOf(95), '0x02'])).toEqual([transaction(hashOf(95), 2, 3)]);
    expect(world.derived('eth_getBlockTransactionCountByHash', [hashOf(95)])).toEqual(['0x3']);
    expect(world.derived('eth_getUncleCountByBlockNumber', ['0x5f'])).toEqual(['0x0']);
    expect(world.derived('eth_getTransactionByHash', [txOf(2).toUpperCase().replace('0X', '0x')])).toEqual([transaction(hashOf(95), 1, 2)]);
  });

  it('not beyond its end, with more params than the method has, or of another block', () => {
    const world = stored();
    expect(world.derived('eth_getTransactionByBlockNumberAndIndex', ['0x5f', '0x3'])).toEqual([]);
    expect(world.derived('eth_getTransactionByBlockNumberAndIndex', ['0x5f', '0x1', 1])).toEqual([]);
    expect(world.derived('eth_getBlockTransactionCountByNumber', ['0x5e'])).toEqual([]);
    expect(world.derived('eth_getTransactionByHash', [txOf(9)])).toEqual([]);
  });

  it('not once a reorg has replaced the block; and again of the block that has replaced it', () => {
    const world = stored();
    world.view.reorg(95, 'b');
    for (const [method, params] of [['eth_getTransactionByHash', [txOf(1)]], ['eth_getBlockTransactionCountByNumber', ['0x5f']], ['eth_getBlockTransactionCountByHash', [hashOf(95)]]] as const) expect(world.derived(method, params)).toEqual([]);
    world.put('eth_getBlockByNumber', ['0x5f', true], blockOf(95, 'b', [2]), { hash: hashOf(95, 'b') });
    expect(world.derived('eth_getTransactionByHash', [txOf(2)])).toEqual([transaction(hashOf(95, 'b'), 0, 2)]);
    expect(world.derived('eth_getTransactionByHash', [txOf(1)])).toEqual([]);
  });

  it.each([
    ['of a client that is not known', { client: '' }],
    ['whose hash is not known', { hash: '' }],
    ['bound to the head alone', { bond: 'head' as const }],
    ['that says another hash than it is stored under', { hash: hashOf(94) }],
  ])('not of one %s', (_what, change) => {
    const world = new World();
    world.put('eth_getBlockByNumber', ['0x5f', true], blockOf(95, 'a', txs), change);
    expect(world.derived('eth_getBlockTransactionCountByNumber', ['0x5f'])).toEqual([]);
  });

  it('by the tag, no longer than any answer by the tag', () => {
    const world = new World();
    world.put('eth_getBlockByNumber', ['0x64', true], blockOf(100, 'a', txs));
    expect(world.derived('eth_getBlockTransactionCountByNumber', ['latest'], 4000)).toEqual(['0x3']);
    expect(world.derived('eth_getBlockTransactionCountByNumber', ['latest'], 4001)).toEqual([]);
    expect(world.derived('eth_getBlockTransactionCountByNumber', ['0x64'], 4001)).toEqual(['0x3']);
  });
});

describe('of stored receipts', () => {
  const stored = (): World => {
    const world = new World();
    world.derived('eth_getTransactionReceipt', [txOf(1)]);
    world.put('eth_getBlockReceipts', ['0x5f'], receiptsOf(95, [1, 2]));
    return world;
  };
  const logs = (filter: object): unknown[] => stored().derived('eth_getLogs', [{ blockHash: hashOf(95), ...filter }]);

  it('a receipt, and the logs that a filter wants', () => {
    expect(stored().derived('eth_getTransactionReceipt', [txOf(2)])).toEqual([receiptsOf(95, [1, 2])[1]]);
    expect(logs({})).toEqual([[log(A), log(B, T), log(A, T, T), log(A), log(B, T), log(A, T, T)]]);
    expect(logs({ address: A.toLowerCase() })).toEqual([[log(A), log(A, T, T), log(A), log(A, T, T)]]);
    expect(logs({ address: [B], topics: [[T, txOf(1)]] })).toEqual([[log(B, T), log(B, T)]]);
    expect(logs({ topics: [txOf(1)] })).toEqual([[]]);
  });

  it.each([{ topics: [null] }, { topics: [[]] }, { address: [] }, { address: null }, { topics: null }, { limit: 1 }, { address: 'x' }])('not for a filter that clients may understand differently: %j', (filter) => {
    expect(logs(filter)).toEqual([]);
  });

  it('not for a range of blocks', () => {
    expect(stored().derived('eth_getLogs', [{ fromBlock: '0x5f', toBlock: '0x5f' }])).toEqual([]);
  });

  it('the receipts of a block of single ones, where each is there, of one client and of that block', () => {
    const world = new World();
    world.put('eth_getBlockByNumber', ['0x5f', false], { ...blockOf(95, 'a', []), transactions: [txOf(1), txOf(2)] });
    const [one, two] = receiptsOf(95, [1, 2]);
    const put = (change: Partial<Entry>): void => world.put('eth_getTransactionReceipt', [txOf(2)], two, { number: 95, hash: hashOf(95), ...change });
    world.put('eth_getTransactionReceipt', [txOf(1)], one, { number: 95, hash: hashOf(95) });
    expect(world.derived('eth_getBlockReceipts', ['0x5f'])).toEqual([]);
    put({ client: 'other' });
    expect(world.derived('eth_getBlockReceipts', ['0x5f'])).toEqual([]);
    put({ number: 94, hash: hashOf(94) });
    expect(world.derived('eth_getBlockReceipts', ['0x5f'])).toEqual([]);
    put({});
    expect(world.derived('eth_getBlockReceipts', ['0x5f'])).toEqual([[one, two]]);
    expect(world.derived('eth_getBlockReceipts', [hashOf(95)])).toEqual([[one, two]]);
  });
});

describe('a stored text is not taken apart', () => {
  const H = hashOf(95);
  it.each([
    ['a name twice', `{"hash":"${H}","transactions":[{"hash":"${txOf(1)}","blockHash":"${H}","transactionIndex":"0x0","Hash":"0x"}]}`],
    ['transactions out of order', JSON.stringify({ ...blockOf(95, 'a', []), transactions: [transaction(H, 1, 1)] })],
    ['one of another block', JSON.stringify({ ...blockOf(95, 'a', []), transactions: [transaction(hashOf(94), 0, 1)] })],
    ['hashes among objects', JSON.stringify({ ...blockOf(95, 'a', []), transactions: [transaction(H, 0, 1), txOf(2)] })],
    ['no list', JSON.stringify({ hash: H, transactions: {} })],
    ['null', 'null'],
  ])('with %s', (_what, text) => {
    expect(readBlock(Buffer.from(text), H)).toBeNull();
  });

  it('and no text makes it throw or hang', () => {
    fc.assert(fc.property(fc.json(), fc.nat(400), (text, cut) => {
      for (const value of [Buffer.from(text), Buffer.from(JSON.stringify(blockOf(95, 'a', [1])).slice(0, cut)), Buffer.from(JSON.stringify(receiptsOf(95, [1])).slice(0, cut))]) {
        readBlock(value, H);
        const receipts = readReceipts(value, H);
        if (receipts !== null) readLogParts(value, receipts);
      }
    }));
  });
});

describe('a pair of methods of a client is proven', () => {
  const sample = (n: number, change: Partial<Compared> = {}): Compared => ({ source: 's', target: 't', client: 'c', trait: '0x2', key: `k${n}`, same: true, ...change });
  const pair = { source: 's', target: 't' };

  it('by so many different samples, each kind of answer by one of its own, each client for itself', () => {
    const proofs = new Proofs(3);
    for (const n of [1, 1, 2]) proofs.take(sample(n));
    expect(proofs.isOn(pair, 'c', '0x2')).toBe(false);
    expect(proofs.wants(pair, 'c', { trait: '0x2', key: 'k1' })).toBe(false);
    proofs.take(sample(3));
    expect([proofs.isOn(pair, 'c', '0x2'), proofs.isOn(pair, 'c', '0x3'), proofs.isOn(pair, 'd', '0x2')]).toEqual([true, false, false]);
    expect(proofs.wants(pair, 'c', { trait: '0x2', key: 'k4' })).toBe(false);
    expect(proofs.wants(pair, 'c', { trait: '0x3', key: 'k4' })).toBe(true);
    proofs.take(sample(4, { trait: '0x3' }));
    expect(proofs.isOn(pair, 'c', '0x3')).toBe(true);
  });

  it('never of a client that is not known, and for no end of clients', () => {
    const proofs = new Proofs(1);
    for (let n = 0; n < 100; n++) proofs.take(sample(n, { client: n === 0 ? '' : `c${n}` }));
    expect(proofs.lines()).toHaveLength(64);
    expect(proofs.isOn(pair, '', '0x2')).toBe(false);
  });

  it('no more after one difference, whenever it comes; whoever is told all samples knows the same', () => {
    const told = fc.array(fc.record({ n: fc.nat(9), same: fc.boolean(), client: fc.constantFrom('a', 'b') }), { maxLength: 40 });
    fc.assert(fc.property(told, (list) => {
      const [proofs, copy] = [new Proofs(4), new Proofs(4)];
      for (const { n, same, client } of list) proofs.take(sample(n, { same, client }));
      for (const each of proofs.samples()) copy.take(each);
      for (const client of ['a', 'b']) {
        const own = list.filter((each) => each.client === client);
        const isOn = own.every(({ same }) => same) && new Set(own.map(({ n }) => n)).size >= 4;
        expect([proofs.isOn(pair, client, '0x2'), copy.isOn(pair, client, '0x2')]).toEqual([isOn, isOn]);
      }
    }));
  });
});

it('transactions are forgotten with the oldest blocks, and found in the block that told of them last', () => {
  const index = new TxIndex(4);
  index.addTransactions(1, 'a', ['t1', 't2']);
  index.addTransactions(2, 'b', ['t2', 't3']);
  expect(index.blockOf('t2')).toEqual({ number: 2, hash: 'b' });
  index.addTransactions(3, 'c', ['t4', 't5']);
  expect([index.blockOf('t1'), index.block('a'), index.blockOf('t2'), index.size]).toEqual([null, null, { number: 2, hash: 'b' }, 4]);
});
