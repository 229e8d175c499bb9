import { type Keccak, notProvable, ProofFault, wrong } from './fault.ts';
import { type Captured, checkHeader, encodeHeader } from './header.ts';
import { dataBytes, quantityBytes, toHex } from './hex.ts';
import { checkStanding, lower, objectsIn } from './member.ts';
import { rlpList, rlpString } from './rlp.ts';
import { encodeTransaction } from './transaction.ts';
import { listRoot } from './trie.ts';

/** Hash of an empty list of uncles: keccak of 0xc0. */
const NO_UNCLES = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347';

/** What was rebuilt of a body. */
export interface BodyCounts {
  readonly transactions: number;
  readonly withdrawals: number;
  readonly uncles: number;
}

const compare = (root: Uint8Array, block: Captured, field: string): void => {
  const claimed = toHex(dataBytes(block[field], field, 32));
  const rebuilt = toHex(root);
  if (rebuilt !== claimed) throw wrong(field, `the header has ${claimed}, the body gives ${rebuilt}`);
};

const checkTransactions = (keccak: Keccak, block: Captured): number => {
  const transactions = objectsIn(block['transactions'], 'transactions');
  const encoded = transactions.map((transaction, i) => {
    const at = `transactions[${i}]`;
    const bytes = encodeTransaction(transaction, at);
    const hash = toHex(keccak(bytes));
    if (hash !== lower(transaction['hash'])) throw wrong(`${at}.hash`, `the transaction hashes to ${hash}`);
    return bytes;
  });
  compare(listRoot(keccak, encoded), block, 'transactionsRoot');
  for (const [index, transaction] of transactions.entries()) checkStanding(transaction, `transactions[${index}]`, { block, index });
  return transactions.length;
};

const encodeWithdrawal = (item: Captured, at: string): Uint8Array => {
  const number = (name: string): Uint8Array => rlpString(quantityBytes(item[name], `${at}.${name}`));
  return rlpList([number('index'), number('validatorIndex'), rlpString(dataBytes(item['address'], `${at}.address`, 20)), number('amount')]);
};

const checkWithdrawals = (keccak: Keccak, block: Captured): number => {
  if (block['withdrawalsRoot'] == null) {
    if (Array.isArray(block['withdrawals']) && block['withdrawals'].length > 0) throw wrong('withdrawals', 'are there without a withdrawalsRoot');
    return 0;
  }
  const withdrawals = objectsIn(block['withdrawals'], 'withdrawals');
  compare(listRoot(keccak, withdrawals.map((item, i) => encodeWithdrawal(item, `withdrawals[${i}]`))), block, 'withdrawalsRoot');
  return withdrawals.length;
};

/** RLP of an uncle's header: as it was captured, or encoded anew. */
const encodeUncle = (keccak: Keccak, uncle: unknown, at: string): Uint8Array => {
  if (typeof uncle === 'string') return dataBytes(uncle, at);
  if (typeof uncle !== 'object' || uncle === null) throw wrong(at, 'is not a header');
  try {
    checkHeader(keccak, uncle as Captured);
  } catch (error) {
    throw error instanceof ProofFault ? new ProofFault(error.verdict, `${at}.${error.field}`, error.message) : error;
  }
  return encodeHeader(uncle as Captured);
};

const checkUncles = (keccak: Keccak, block: Captured, captured: unknown): number => {
  const hashes = block['uncles'] ?? [];
  if (!Array.isArray(hashes)) throw wrong('uncles', 'is not a list');
  const isNone = lower(block['sha3Uncles']) === NO_UNCLES;
  if (isNone && hashes.length === 0) return 0;
  if (isNone) throw wrong('uncles', 'are there, but the header has none');
  if (captured === undefined || captured === null) throw notProvable('sha3Uncles', 'the headers of the uncles were not captured');
  if (!Array.isArray(captured)) throw wrong('uncles', 'is not a list of headers');
  const encoded = captured.map((uncle: unknown, i) => encodeUncle(keccak, uncle, `uncles[${i}]`));
  const odd = hashes.findIndex((hash, i) => encoded[i] === undefined || toHex(keccak(encoded[i])) !== lower(hash));
  if (odd >= 0) throw wrong(`uncles[${odd}]`, 'its header does not hash to it');
  compare(keccak(rlpList(encoded)), block, 'sha3Uncles');
  return encoded.length;
};

/**
 * Rebuilds what a header commits to of its body: transactions, withdrawals, uncles.
 * @param uncles headers of the uncles, where the block has some: objects, or RLP in hex
 * @throws ProofFault naming the field that does not fit
 */
export function checkBody(keccak: Keccak, block: Captured, uncles: unknown): BodyCounts {
  const transactions = checkTransactions(keccak, block);
  const withdrawals = checkWithdrawals(keccak, block);
  return { transactions, withdrawals, uncles: checkUncles(keccak, block, uncles) };
}
