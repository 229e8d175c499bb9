import { encodeRlp, keccak256 } from 'ethers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkBody } from '../../../src/proof/body.ts';
import { type Captured, checkHeader, encodeHeader } from '../../../src/proof/header.ts';
import { toHex } from '../../../src/proof/hex.ts';
import { checkReceipts, compareLogs } from '../../../src/proof/receipts.ts';
import { keccak, realBlocks } from '../../help/mainnet.ts';
import { answered, anyReceipt, anyTransaction, anyWithdrawal, oracleRoot, receiptsOf, withdrawalOf } from '../../help/oracleBlock.ts';

const base = realBlocks().find(({ block }) => Number(block.number) === 22_431_084)!.block;
const { transactions: _transactions, withdrawals: _withdrawals, ...header } = base;
/** A block with these members, and the hash that it then has. */
const blockWith = (change: Captured): Captured => {
  const block = { ...header, uncles: [], ...change };
  return { ...block, hash: toHex(keccak(encodeHeader(block))) };
};

const EMPTY = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';
/** Around the places where the keys of a list become longer. */
const EDGES = [0, 1, 2, 127, 128, 129, 255, 256, 257, 300];

test('bodies of every type of transaction, however a node answers them, have the roots of ethers and @ethereumjs/mpt', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyTransaction, { maxLength: 12 }), fc.array(anyWithdrawal, { maxLength: 8 }), async (made, taken) => {
      const all = made.map(answered);
      const withdrawals = taken.map(withdrawalOf);
      const block = blockWith({
        transactions: all.map(({ json }) => json), transactionsRoot: await oracleRoot(all.map(({ encoded }) => encoded)),
        withdrawals: withdrawals.map(({ json }) => json), withdrawalsRoot: await oracleRoot(withdrawals.map(({ encoded }) => encoded)),
      });
      checkHeader(keccak, block);
      expect(checkBody(keccak, block, undefined)).toEqual({ transactions: made.length, withdrawals: taken.length, uncles: 0 });
    }),
    { numRuns: 300 },
  );
});

test('receipts with a status or a root, sparse or with all members, have those roots and blooms too', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyReceipt, { maxLength: 12 }), fc.constantFrom('status' as const, 'root' as const), fc.boolean(), async (made, form, isSparse) => {
      const { encoded, json, transactions, logsBloom } = receiptsOf(made, form, isSparse);
      const block = blockWith({ transactions, logsBloom, receiptsRoot: await oracleRoot(encoded) });
      const proven = checkReceipts(keccak, block, json);
      expect(proven).toHaveLength(made.flatMap(({ logs }) => logs).length);
      compareLogs(proven, json.flatMap(({ logs, transactionHash }) => (logs as Captured[]).map((log) => ({ ...log, transactionHash }))), block);
    }),
    { numRuns: 300 },
  );
});

test.each(EDGES)('a block of %d transactions, receipts and withdrawals', async (count) => {
  const few = <T>(arbitrary: fc.Arbitrary<T>): T[] => {
    const made = fc.sample(arbitrary, { numRuns: Math.min(count, 40), seed: count });
    return Array.from({ length: count }, (_, i) => made[i % made.length] as T);
  };
  const all = few(anyTransaction).map(answered);
  const withdrawals = few(anyWithdrawal).map(withdrawalOf);
  const receipts = receiptsOf(few(anyReceipt), 'status', false);
  const [transactionsRoot, withdrawalsRoot, receiptsRoot] = await Promise.all([all, withdrawals, receipts.encoded.map((encoded) => ({ encoded }))].map((list) => oracleRoot(list.map(({ encoded }) => encoded))));
  if (count === 0) expect([transactionsRoot, withdrawalsRoot, receiptsRoot]).toEqual([EMPTY, EMPTY, EMPTY]);
  const body = blockWith({ transactions: all.map(({ json }) => json), transactionsRoot, withdrawals: withdrawals.map(({ json }) => json), withdrawalsRoot });
  expect(checkBody(keccak, body, undefined)).toEqual({ transactions: count, withdrawals: count, uncles: 0 });
  checkReceipts(keccak, blockWith({ transactions: receipts.transactions, receiptsRoot, logsBloom: receipts.logsBloom }), receipts.json);
});

/** Fields of a header by fork, in the order of the yellow paper and of EIP-1559, 4895, 4844, 4788, 7685. */
const FRONTIER = ['parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'logsBloom', 'difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'extraData', 'mixHash', 'nonce'];
const FORKS: readonly (readonly [string, readonly string[]])[] = [
  ['Frontier to Berlin', []], ['London to Paris', ['baseFeePerGas']], ['Shanghai', ['baseFeePerGas', 'withdrawalsRoot']],
  ['Cancun', ['baseFeePerGas', 'withdrawalsRoot', 'blobGasUsed', 'excessBlobGas', 'parentBeaconBlockRoot']],
  ['Prague and Osaka', ['baseFeePerGas', 'withdrawalsRoot', 'blobGasUsed', 'excessBlobGas', 'parentBeaconBlockRoot', 'requestsHash']],
];
const QUANTITIES = ['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas', 'blobGasUsed', 'excessBlobGas'];

test.each(FORKS)('headers of %s have the hash that ethers gives them', (_fork, added) => {
  const names = [...FRONTIER, ...added];
  const value = (name: string): fc.Arbitrary<string> => {
    if (QUANTITIES.includes(name)) return fc.oneof(fc.constant(0), fc.nat(2 ** 31)).map((number) => `0x${number.toString(16)}`);
    const length = (header[name] as string).length / 2 - 1;
    return fc.uint8Array(name === 'extraData' ? { maxLength: 97 } : { minLength: length, maxLength: length }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`);
  };
  const rlp = (name: string, text: string): string => {
    if (!QUANTITIES.includes(name)) return text;
    const digits = text.slice(2).replace(/^0+/, '');
    return `0x${digits.length % 2 === 0 ? '' : '0'}${digits}`;
  };
  fc.assert(
    fc.property(fc.tuple(...names.map(value)), fc.boolean(), (values, isNull) => {
      const block: Record<string, unknown> = Object.fromEntries(names.map((name, i) => [name, values[i]]));
      block['hash'] = keccak256(encodeRlp(names.map((name, i) => rlp(name, values[i]!))));
      // some nodes answer null for what later forks added
      if (isNull) for (const name of FORKS.at(-1)![1]) block[name] ??= null;
      expect(checkHeader(keccak, { ...block, size: '0x1', totalDifficulty: '0x2', author: block['miner'] }).hash).toBe(block['hash']);
    }),
    { numRuns: 60 },
  );
});
