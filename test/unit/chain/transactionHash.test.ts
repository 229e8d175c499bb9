import { Transaction, Wallet } from 'ethers';
import { describe, expect, test } from 'vitest';
import { transactionHash } from '../../../src/chain/evm/transactionHash.ts';

const wallet = new Wallet(`0x${'11'.repeat(32)}`);
const common = { chainId: 1, nonce: 7, gasLimit: 21_000, to: wallet.address, value: 1n };

describe('transactionHash', () => {
  test.each([
    ['legacy', { ...common, type: 0, gasPrice: 5n }],
    ['access list', { ...common, type: 1, gasPrice: 5n, accessList: [] }],
    ['fee market', { ...common, type: 2, maxFeePerGas: 9n, maxPriorityFeePerGas: 1n }],
  ])('a %s transaction has the hash that ethers gives it', async (_name, fields) => {
    const raw = await wallet.signTransaction(fields);
    expect(transactionHash(raw)).toBe(Transaction.from(raw).hash);
  });

  test.each([['no hex', '0xzz'], ['half a byte', '0x123'], ['empty', '0x'], ['a blob transaction', '0x03f800']])('%s has none', (_name, raw) => {
    expect(transactionHash(raw)).toBeNull();
  });
});
