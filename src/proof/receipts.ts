import { addToBloom, BLOOM_BYTES, mergeBloom } from './bloom.ts';
import { type Keccak, notProvable, wrong } from './fault.ts';
import type { Captured } from './header.ts';
import { dataBytes, quantityBytes, quantityNumber, sameBytes, toHex } from './hex.ts';
import { checkStanding, isSameHex, listIn, lower, objectsIn, type Standing } from './member.ts';
import { rlpList, rlpString } from './rlp.ts';
import { listRoot } from './trie.ts';
import { typed, typeOf } from './transaction.ts';

/** A log as its receipt commits to it. */
export interface ProvenLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly transactionHash: string;
  readonly transactionIndex: number;
}

/** What a receipt says of its transaction's outcome: a status, or before Byzantium the root of the state behind it (EIP-658). */
const FORMS = ['status', 'root'] as const;
type Form = (typeof FORMS)[number];

/** A receipt, read: its outcome in the forms that the node answered, and all else encoded. */
interface ReadReceipt {
  readonly type: number;
  readonly outcome: Readonly<Record<Form, Uint8Array | null>>;
  readonly rest: readonly Uint8Array[];
}

/** What goes through all receipts of a block. */
class ReceiptWalk {
  readonly bloom = new Uint8Array(BLOOM_BYTES);
  readonly logs: ProvenLog[] = [];
  #cumulative = 0;
  readonly #keccak: Keccak;
  readonly #transactions: readonly unknown[];

  constructor(keccak: Keccak, transactions: readonly unknown[]) {
    this.#keccak = keccak;
    this.#transactions = transactions;
  }

  read(receipt: Captured, index: number): ReadReceipt {
    const at = `receipts[${index}]`;
    const type = this.#checkOwner(receipt, index);
    const bloom = new Uint8Array(BLOOM_BYTES);
    const owner = lower(receipt['transactionHash']);
    const logs = objectsIn(receipt['logs'], `${at}.logs`).map((log, i) => this.#log(log, bloom, { at: `${at}.logs[${i}]`, owner, index }));
    const { logsBloom, status, root } = receipt;
    if (logsBloom != null && !sameBytes(bloom, dataBytes(logsBloom, `${at}.logsBloom`, BLOOM_BYTES))) throw wrong(`${at}.logsBloom`, 'is not that of its logs');
    mergeBloom(this.bloom, bloom);
    this.#checkGas(receipt, at);
    const outcome = {
      status: status == null ? null : quantityBytes(status, `${at}.status`),
      root: root == null || root === '0x' ? null : dataBytes(root, `${at}.root`, 32),
    };
    return { type, outcome, rest: [rlpString(quantityBytes(receipt['cumulativeGasUsed'], `${at}.cumulativeGasUsed`)), rlpString(bloom), rlpList(logs)] };
  }

  /** Members beside the root: that they fit the block's own transactions. @returns the type, which older nodes have with the transaction only */
  #checkOwner(receipt: Captured, index: number): number {
    const at = `receipts[${index}]`;
    const transaction = this.#transactions[index];
    const whole = typeof transaction === 'object' && transaction !== null ? (transaction as Captured) : null;
    const hash = lower(whole === null ? transaction : whole['hash']);
    if (lower(receipt['transactionHash']) !== hash) throw wrong(`${at}.transactionHash`, `is not ${hash}`);
    if (whole === null) return typeOf(receipt, at);
    const type = typeOf(whole, `transactions[${index}]`);
    if (receipt['type'] != null && typeOf(receipt, at) !== type) throw wrong(`${at}.type`, "is not its transaction's");
    return type;
  }

  #checkGas(receipt: Captured, at: string): void {
    const cumulative = quantityNumber(receipt['cumulativeGasUsed'], `${at}.cumulativeGasUsed`);
    const own = cumulative - this.#cumulative;
    this.#cumulative = cumulative;
    if (receipt['gasUsed'] != null && quantityNumber(receipt['gasUsed'], `${at}.gasUsed`) !== own) throw wrong(`${at}.gasUsed`, `is not ${own}`);
  }

  #log(log: Captured, bloom: Uint8Array, { at, owner, index }: { readonly at: string; readonly owner: string; readonly index: number }): Uint8Array {
    const address = dataBytes(log['address'], `${at}.address`, 20);
    const topics = listIn(log['topics'], `${at}.topics`).map((topic, i) => dataBytes(topic, `${at}.topics[${i}]`, 32));
    const data = dataBytes(log['data'], `${at}.data`);
    for (const item of [address, ...topics]) addToBloom(this.#keccak, bloom, item);
    if (log['transactionHash'] != null && lower(log['transactionHash']) !== owner) throw wrong(`${at}.transactionHash`, `is not ${owner}`);
    if (log['logIndex'] != null && quantityNumber(log['logIndex'], `${at}.logIndex`) !== this.logs.length) throw wrong(`${at}.logIndex`, `is not ${this.logs.length}`);
    this.logs.push({ address: toHex(address), topics: topics.map(toHex), data: toHex(data), transactionHash: owner, transactionIndex: index });
    return rlpList([rlpString(address), rlpList(topics.map(rlpString)), rlpString(data)]);
  }
}

/** Root of receipts with their outcomes in one form; null where the node did not answer all of them in it. */
const rootIn = (keccak: Keccak, receipts: readonly ReadReceipt[], form: Form): string | null => {
  const encoded: Uint8Array[] = [];
  for (const { type, outcome, rest } of receipts) {
    const own = outcome[form];
    if (own === null) return null;
    encoded.push(typed(type, rlpList([rlpString(own), ...rest])));
  }
  return toHex(listRoot(keccak, encoded));
};

const checkRoot = (keccak: Keccak, block: Captured, read: readonly ReadReceipt[], statusFromBlock: number): void => {
  const bare = read.findIndex(({ outcome }) => FORMS.every((form) => outcome[form] === null));
  if (bare >= 0) throw notProvable(`receipts[${bare}].status`, 'the node answered neither a status nor a root');
  const roots = FORMS.map((form) => rootIn(keccak, read, form));
  const claimed = lower(block['receiptsRoot']);
  if (roots.includes(claimed)) return;
  const [byStatus, byRoot] = roots;
  const isBefore = quantityNumber(block['number'], 'number') < statusFromBlock;
  if (isBefore && byRoot === null) throw notProvable('receiptsRoot', 'receipts before Byzantium hold the root of the state, and the node answered a status instead');
  throw wrong('receiptsRoot', `the header has ${claimed}, the receipts give ${(isBefore ? byRoot : byStatus) ?? byRoot ?? 'none: some have a status, some a root'}`);
};

/** Members that no root commits to. */
const checkMembers = (receipt: Captured, transaction: unknown, standing: Standing): void => {
  const at = `receipts[${standing.index}]`;
  checkStanding(receipt, at, standing);
  for (const [i, log] of objectsIn(receipt['logs'], `${at}.logs`).entries()) checkStanding(log, `${at}.logs[${i}]`, standing);
  if (typeof transaction !== 'object' || transaction === null) return;
  for (const name of ['from', 'to'] as const) {
    const own = (transaction as Captured)[name];
    if (own != null && !isSameHex(receipt[name], own)) throw wrong(`${at}.${name}`, "is not its transaction's");
  }
};

/**
 * Rebuilds receiptsRoot and logsBloom of a header from the receipts of its block.
 * @param statusFromBlock first block whose receipts hold a status
 * @returns the logs that are proven by it
 * @throws ProofFault naming the field that does not fit
 */
export function checkReceipts(keccak: Keccak, block: Captured, receipts: unknown, statusFromBlock = 0): readonly ProvenLog[] {
  const transactions = listIn(block['transactions'], 'transactions');
  const all = objectsIn(receipts, 'receipts');
  if (all.length !== transactions.length) throw wrong('receipts', `${all.length} of ${transactions.length} transactions`);
  const walk = new ReceiptWalk(keccak, transactions);
  checkRoot(keccak, block, all.map((receipt, i) => walk.read(receipt, i)), statusFromBlock);
  if (!sameBytes(walk.bloom, dataBytes(block['logsBloom'], 'logsBloom', BLOOM_BYTES))) throw wrong('logsBloom', 'the receipts give another one');
  for (const [index, receipt] of all.entries()) checkMembers(receipt, transactions[index], { block, index });
  return walk.logs;
}

const isSame = (log: ProvenLog, other: Captured, index: number): boolean => {
  const topics = Array.isArray(other['topics']) ? (other['topics'] as unknown[]).map(lower) : [];
  return (
    lower(other['address']) === log.address && lower(other['data']) === log.data && topics.join() === log.topics.join() &&
    lower(other['transactionHash']) === log.transactionHash && (other['logIndex'] == null || Number(other['logIndex']) === index)
  );
};

/**
 * Compares what `eth_getLogs` said of a block with the logs that its receipts prove.
 * @throws ProofFault at the first difference
 */
export function compareLogs(proven: readonly ProvenLog[], answered: unknown, block: Captured): void {
  const logs = objectsIn(answered, 'logs');
  const different = proven.findIndex((log, i) => logs[i] === undefined || !isSame(log, logs[i], i));
  if (different >= 0) throw wrong(`logs[${different}]`, 'eth_getLogs answers another log than the receipts prove');
  if (logs.length !== proven.length) throw wrong('logs', `eth_getLogs answers ${logs.length} logs, the receipts prove ${proven.length}`);
  for (const [i, log] of logs.entries()) checkStanding(log, `logs[${i}]`, { block, index: proven[i]?.transactionIndex ?? 0 });
}
