import { readFilter, wants } from '../../chain/logs/filter.ts';
import type { LogFilter } from '../../chain/logs/filter.ts';
import type { Entry } from '../entry.ts';
import type { Pair } from './proofs.ts';
import type { Sources, Wanted } from './sources.ts';

/** An answer made of other answers. */
export interface Derived extends Pair {
  readonly value: Buffer;
  /** The stored answer that it stands and falls with. */
  readonly from: Entry;
  /** The client whose answers it is made of. */
  readonly client: string;
  /** What kind of answer it is; each kind is proven by itself. */
  readonly trait: string;
}

interface Block {
  readonly number: number;
  readonly hash: string;
}

type Derive = (sources: Sources, wanted: Wanted, target: string) => Iterable<Derived>;

const TRANSACTION = /^"(0x[0-9a-f]{64})"$/;
const PLACE = /^@,"0x([0-9a-f]{1,7})"$/;
const NOTHING: readonly Derived[] = [];
/** More in one filter, and the node is asked. */
const MAX_FILTER_ITEMS = 1000;

const RULES: ReadonlyMap<string, Derive> = new Map<string, Derive>([
  ['eth_getBlockTransactionCountByNumber', transactionCount],
  ['eth_getBlockTransactionCountByHash', transactionCount],
  ['eth_getUncleCountByBlockNumber', uncleCount],
  ['eth_getUncleCountByBlockHash', uncleCount],
  ['eth_getTransactionByBlockNumberAndIndex', transactionAt],
  ['eth_getTransactionByBlockHashAndIndex', transactionAt],
  ['eth_getTransactionByHash', transactionByHash],
  ['eth_getTransactionReceipt', receipt],
  ['eth_getLogs', logsOfBlock],
  ['eth_getBlockReceipts', receiptsOfBlock],
]);

/** Whether answers of a method can be derived at all. */
export const isTarget = (method: string): boolean => RULES.has(method);

/** The ways in which a call can be answered from what is stored, each ready; whether one is proven is not asked. */
export const derive = (sources: Sources, wanted: Wanted): Iterable<Derived> => {
  const { method } = wanted.ask.plan;
  return RULES.get(method)?.(sources, wanted, method) ?? NOTHING;
};

/** The params of a call as they are in its key, without the block. */
const paramsOf = ({ ask }: Wanted): string => ask.key.slice(ask.plan.method.length + 1, ask.key.lastIndexOf('\n'));

/** Stored answers about a block, asked by number or by hash. @param params in their keys */
function* aboutBlock(sources: Sources, wanted: Wanted, block: Block, wordings: readonly (readonly [method: string, params: string])[]): Iterable<readonly [string, Entry]> {
  for (const [method, params] of wordings) {
    const token = method === 'eth_getBlockByHash' ? block.hash : `#${block.number}`;
    const tokens = method === 'eth_getBlockReceipts' ? [`#${block.number}`, block.hash] : [token];
    for (const each of tokens) {
      const entry = each === '' ? null : sources.find(`${method}\n${params}\n${each}`, wanted, block.hash);
      if (entry !== null) yield [method, entry];
    }
  }
}

const FULL_BLOCK = [['eth_getBlockByNumber', '@,true'], ['eth_getBlockByHash', '@,true']] as const;
const ANY_BLOCK = [...FULL_BLOCK, ['eth_getBlockByNumber', '@,false'], ['eth_getBlockByHash', '@,false']] as const;
const BLOCK_RECEIPTS = [['eth_getBlockReceipts', '@']] as const;

const made = (source: string, target: string, from: Entry, what: Pick<Derived, 'value' | 'trait'>): Derived => ({ source, target, from, client: from.client ?? '', ...what });

/** A quantity; nought is a kind of its own. */
const counted = (count: number): Pick<Derived, 'value' | 'trait'> => ({ value: Buffer.from(`"0x${count.toString(16)}"`, 'latin1'), trait: count === 0 ? 'none' : 'some' });

function* transactionCount(sources: Sources, wanted: Wanted, target: string): Iterable<Derived> {
  const block = sources.locate(wanted, null);
  if (block === null || paramsOf(wanted) !== '@') return;
  for (const [source, entry] of aboutBlock(sources, wanted, block, ANY_BLOCK)) {
    const parts = sources.blockOf(entry)?.parts;
    if (parts !== undefined) yield made(source, target, entry, counted(parts.length));
  }
}

function* uncleCount(sources: Sources, wanted: Wanted, target: string): Iterable<Derived> {
  const block = sources.locate(wanted, null);
  if (block === null || paramsOf(wanted) !== '@') return;
  for (const [source, entry] of aboutBlock(sources, wanted, block, ANY_BLOCK)) {
    const uncles = sources.blockOf(entry)?.uncles ?? -1;
    if (uncles >= 0) yield made(source, target, entry, counted(uncles));
  }
}

function* transactionAt(sources: Sources, wanted: Wanted, target: string): Iterable<Derived> {
  const block = sources.locate(wanted, null);
  const place = PLACE.exec(paramsOf(wanted))?.[1];
  if (block === null || place === undefined) return;
  for (const [source, entry] of aboutBlock(sources, wanted, block, FULL_BLOCK)) {
    const parts = sources.blockOf(entry);
    const part = parts?.isFull === true ? parts.parts[Number.parseInt(place, 16)] : undefined;
    if (part !== undefined) yield made(source, target, entry, { value: entry.value.subarray(part.from, part.to), trait: part.type });
  }
}

function* transactionByHash(sources: Sources, wanted: Wanted, target: string): Iterable<Derived> {
  const hash = TRANSACTION.exec(paramsOf(wanted))?.[1];
  const block = hash === undefined ? null : sources.locate(wanted, hash);
  if (block === null) return;
  for (const [source, entry] of aboutBlock(sources, wanted, block, FULL_BLOCK)) {
    const parts = sources.blockOf(entry);
    const part = parts?.isFull === true ? parts.parts.find((each) => each.hash === hash) : undefined;
    if (part !== undefined) yield made(source, target, entry, { value: entry.value.subarray(part.from, part.to), trait: part.type });
  }
}

function* receipt(sources: Sources, wanted: Wanted, target: string): Iterable<Derived> {
  const hash = TRANSACTION.exec(paramsOf(wanted))?.[1];
  const block = hash === undefined ? null : sources.locate(wanted, hash);
  if (block === null) return;
  for (const [source, entry] of aboutBlock(sources, wanted, block, BLOCK_RECEIPTS)) {
    const part = sources.receiptsOf(entry)?.find((each) => each.hash === hash);
    if (part !== undefined) yield made(source, target, entry, { value: entry.value.subarray(part.from, part.to), trait: part.type });
  }
}

function* logsOfBlock(sources: Sources, wanted: Wanted, target: string): Iterable<Derived> {
  if (wanted.ask.number >= 0) return; // a range
  const block = sources.locate(wanted, null);
  const filter = block === null ? null : plainFilter(paramsOf(wanted));
  if (block === null || filter === null) return;
  for (const [source, entry] of aboutBlock(sources, wanted, block, BLOCK_RECEIPTS)) {
    const logs = sources.logsOf(entry)?.filter(({ address, topics }) => wants(filter, address, topics));
    if (logs === undefined) continue;
    const trait = `${filter.addresses.length > 0 ? 'address' : ''}${filter.topics.length}${logs.length === 0 ? 'none' : 'some'}`;
    yield made(source, target, entry, { value: listOf(logs.map(({ from, to }) => entry.value.subarray(from, to))), trait });
  }
}

/** All receipts of a block, where every single one is stored, of one client. */
function* receiptsOfBlock(sources: Sources, wanted: Wanted, target: string): Iterable<Derived> {
  const block = sources.locate(wanted, null);
  if (block === null || paramsOf(wanted) !== '@') return;
  for (const [, entry] of aboutBlock(sources, wanted, block, ANY_BLOCK)) {
    const parts = sources.blockOf(entry)?.parts ?? [];
    const receipts = parts.map(({ hash }) => sources.find(`eth_getTransactionReceipt\n"${hash}"\n`, wanted, entry.hash));
    const first = receipts[0] ?? null;
    if (first === null || receipts.some((each) => each === null || each.client !== first.client)) continue;
    const trait = [...new Set(receipts.map(typeOf))].sort().join();
    yield made('eth_getTransactionReceipt', target, first, { value: listOf(receipts.map((each) => (each as Entry).value)), trait });
  }
}

/** What a receipt says its transaction's type is; nothing inside it goes by that name. */
const typeOf = (receipt: Entry | null): string => /"type"\s*:\s*("0x[0-9a-f]{1,4}")/.exec(receipt?.value.toString('latin1') ?? '')?.[1] ?? '';

/** A filter without what clients understand differently: empty lists and nulls. */
function plainFilter(params: string): LogFilter | null {
  const [option, more] = JSON.parse(`[${params}]`) as readonly [Readonly<Record<string, unknown>>, unknown];
  const { address, topics } = option;
  if (more !== undefined || Object.keys(option).some((key) => key !== 'address' && key !== 'topics') || address === null || topics === null) return null;
  const filter = readFilter(option, '', MAX_FILTER_ITEMS);
  if (!('addresses' in filter) || filter.topics.some((any) => any.length === 0)) return null;
  return Array.isArray(address) && address.length === 0 ? null : filter;
}

function listOf(items: readonly Buffer[]): Buffer {
  const pieces: Buffer[] = [];
  for (const item of items) pieces.push(pieces.length === 0 ? OPEN : BETWEEN, item);
  return Buffer.concat(items.length === 0 ? [OPEN, CLOSE] : [...pieces, CLOSE]);
}

const OPEN = Buffer.from('[');
const BETWEEN = Buffer.from(',');
const CLOSE = Buffer.from(']');
