import { addToBloom, BLOOM_BYTES, mergeBloom } from './bloom.ts';
import { type Keccak, wrong } from './fault.ts';
import type { Captured } from './header.ts';
import { dataBytes, quantityBytes, quantityNumber, sameBytes, toHex } from './hex.ts';
import { rlpList, rlpString } from './rlp.ts';
import { listRoot } from './trie.ts';
import { typed, typeOf } from './transaction.ts';

/** A log as its receipt commits to it. */
export interface ProvenLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly transactionHash: string;
}

const list = (value: unknown, field: string): readonly Captured[] => {
  if (!Array.isArray(value)) throw wrong(field, 'is not a list');
  return value as Captured[];
};

const lower = (value: unknown): string => String(value).toLowerCase();

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

  encode(receipt: Captured, index: number): Uint8Array {
    const at = `receipts[${index}]`;
    const type = typeOf(receipt, at);
    const bloom = new Uint8Array(BLOOM_BYTES);
    this.#checkOwner(receipt, index, type);
    const logs = list(receipt['logs'], `${at}.logs`).map((log, i) => this.#log(log, bloom, { at: `${at}.logs[${i}]`, owner: lower(receipt['transactionHash']) }));
    if (!sameBytes(bloom, dataBytes(receipt['logsBloom'], `${at}.logsBloom`, BLOOM_BYTES))) throw wrong(`${at}.logsBloom`, 'is not that of its logs');
    mergeBloom(this.bloom, bloom);
    this.#checkGas(receipt, at);
    const { status, root } = receipt;
    const outcome = status == null ? dataBytes(root, `${at}.root`, 32) : quantityBytes(status, `${at}.status`);
    return typed(type, rlpList([outcome, quantityBytes(receipt['cumulativeGasUsed'], `${at}.cumulativeGasUsed`), bloom].map(rlpString).concat(rlpList(logs))));
  }

  /** Members beside the root: that they fit the block's own transactions. */
  #checkOwner(receipt: Captured, index: number, type: number): void {
    const at = `receipts[${index}]`;
    const transaction = this.#transactions[index];
    const isWhole = typeof transaction === 'object' && transaction !== null;
    const hash = isWhole ? (transaction as Captured)['hash'] : transaction;
    if (lower(receipt['transactionHash']) !== lower(hash)) throw wrong(`${at}.transactionHash`, `is not ${lower(hash)}`);
    if (isWhole && typeOf(transaction as Captured, `transactions[${index}]`) !== type) throw wrong(`${at}.type`, "is not its transaction's");
  }

  #checkGas(receipt: Captured, at: string): void {
    const cumulative = quantityNumber(receipt['cumulativeGasUsed'], `${at}.cumulativeGasUsed`);
    const own = cumulative - this.#cumulative;
    this.#cumulative = cumulative;
    if (receipt['gasUsed'] != null && quantityNumber(receipt['gasUsed'], `${at}.gasUsed`) !== own) throw wrong(`${at}.gasUsed`, `is not ${own}`);
  }

  #log(log: Captured, bloom: Uint8Array, { at, owner }: { readonly at: string; readonly owner: string }): Uint8Array {
    const address = dataBytes(log['address'], `${at}.address`, 20);
    const topics = list(log['topics'], `${at}.topics`).map((topic, i) => dataBytes(topic, `${at}.topics[${i}]`, 32));
    const data = dataBytes(log['data'], `${at}.data`);
    for (const item of [address, ...topics]) addToBloom(this.#keccak, bloom, item);
    if (log['transactionHash'] != null && lower(log['transactionHash']) !== owner) throw wrong(`${at}.transactionHash`, `is not ${owner}`);
    if (log['logIndex'] != null && quantityNumber(log['logIndex'], `${at}.logIndex`) !== this.logs.length) throw wrong(`${at}.logIndex`, `is not ${this.logs.length}`);
    this.logs.push({ address: toHex(address), topics: topics.map(toHex), data: toHex(data), transactionHash: owner });
    return rlpList([rlpString(address), rlpList(topics.map(rlpString)), rlpString(data)]);
  }
}

/**
 * Rebuilds receiptsRoot and logsBloom of a header from the receipts of its block.
 * @returns the logs that are proven by it
 * @throws ProofFault naming the field that does not fit
 */
export function checkReceipts(keccak: Keccak, block: Captured, receipts: unknown): readonly ProvenLog[] {
  const transactions = list(block['transactions'], 'transactions');
  const all = list(receipts, 'receipts');
  if (all.length !== transactions.length) throw wrong('receipts', `${all.length} of ${transactions.length} transactions`);
  const walk = new ReceiptWalk(keccak, transactions);
  const root = toHex(listRoot(keccak, all.map((receipt, i) => walk.encode(receipt, i))));
  if (root !== lower(block['receiptsRoot'])) throw wrong('receiptsRoot', `the header has ${lower(block['receiptsRoot'])}, the receipts give ${root}`);
  if (!sameBytes(walk.bloom, dataBytes(block['logsBloom'], 'logsBloom', BLOOM_BYTES))) throw wrong('logsBloom', 'the receipts give another one');
  return walk.logs;
}

/** Compares what `eth_getLogs` said of a block with the logs that its receipts prove. @throws ProofFault at the first difference */
export function compareLogs(proven: readonly ProvenLog[], answered: unknown): void {
  const logs = list(answered, 'logs');
  const different = proven.findIndex((log, i) => {
    const other = logs[i];
    const topics = Array.isArray(other?.['topics']) ? (other['topics'] as unknown[]).map(lower) : [];
    return (
      lower(other?.['address']) !== log.address || lower(other?.['data']) !== log.data ||
      topics.join() !== log.topics.join() || lower(other?.['transactionHash']) !== log.transactionHash
    );
  });
  if (different >= 0) throw wrong(`logs[${different}]`, 'eth_getLogs answers another log than the receipts prove');
  if (logs.length !== proven.length) throw wrong('logs', `eth_getLogs answers ${logs.length} logs, the receipts prove ${proven.length}`);
}
