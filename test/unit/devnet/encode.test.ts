import { Transaction, type TransactionLike } from 'ethers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeTransaction } from '../../../src/devnet/encode.ts';
import { devWallet } from '../../help/client.ts';

const hex = (value: bigint | number | null | undefined): string => `0x${(value ?? 0).toString(16)}`;

/** A signed transaction as a node's JSON would give it. */
function asJson(signed: Transaction): Record<string, unknown> {
  const { signature } = signed;
  if (signature === null) throw new Error('not signed');
  return {
    type: hex(signed.type),
    chainId: hex(signed.chainId),
    nonce: hex(signed.nonce),
    gas: hex(signed.gasLimit),
    gasPrice: hex(signed.gasPrice),
    maxFeePerGas: hex(signed.maxFeePerGas),
    maxPriorityFeePerGas: hex(signed.maxPriorityFeePerGas),
    to: signed.to,
    value: hex(signed.value),
    input: signed.data,
    ...(signed.type === 0 ? {} : { accessList: signed.accessList, yParity: hex(signature.yParity) }),
    ...(signed.type === 4 ? { authorizationList: signed.authorizationList?.map(({ address, nonce, chainId, signature: by }) => ({ address, nonce: hex(nonce), chainId: hex(chainId), yParity: hex(by.yParity), r: by.r, s: by.s })) } : {}),
    v: hex(signature.yParity + (signed.type === 0 ? 35 + 2 * 31337 : 0)),
    r: signature.r,
    s: signature.s,
  };
}

const bytes = (min: number, max: number): fc.Arbitrary<string> => fc.uint8Array({ minLength: min, maxLength: max }).map((array) => `0x${Buffer.from(array).toString('hex')}`);
const address = bytes(20, 20);
const fields = fc.record({
  type: fc.constantFrom(0, 1, 2, 4),
  nonce: fc.nat(1 << 30),
  gasLimit: fc.bigInt(0n, 1n << 40n),
  fee: fc.bigInt(0n, 1n << 70n),
  value: fc.bigInt(0n, 1n << 200n),
  data: bytes(0, 300),
  to: fc.option(address),
  accessList: fc.array(fc.record({ address, storageKeys: fc.array(bytes(32, 32), { maxLength: 3 }) }), { maxLength: 3 }),
});

describe('a transaction rebuilt from its JSON', () => {
  it('has the bytes that were signed, for every type without blobs', async () => {
    const wallet = devWallet(0);
    const authorization = await wallet.authorize({ address: devWallet(1).address, nonce: 5, chainId: 31337n });
    fc.assert(
      fc.property(fields, ({ type, nonce, gasLimit, fee, value, data, to, accessList }) => {
        const like: TransactionLike = {
          type, nonce, gasLimit, value, data, chainId: 31337,
          // A set-code transaction cannot create a contract.
          to: type === 4 ? devWallet(2).address : to,
          ...(type < 2 ? { gasPrice: fee } : { maxFeePerGas: fee, maxPriorityFeePerGas: fee / 2n }),
          ...(type === 0 ? {} : { accessList }),
          ...(type === 4 ? { authorizationList: [authorization] } : {}),
        };
        const transaction = Transaction.from(like);
        transaction.signature = wallet.signingKey.sign(transaction.unsignedHash);
        expect(encodeTransaction(asJson(transaction))).toBe(transaction.serialized);
      }),
      { numRuns: 60 },
    );
  });

  it('is refused for a type that JSON does not hold whole', () => {
    expect(encodeTransaction({ type: '0x3' })).toBeNull();
    expect(encodeTransaction({ type: '0x7f' })).toBeNull();
  });
});
