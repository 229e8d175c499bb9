import { createMPT } from '@ethereumjs/mpt';
import { encodeRlp, keccak256, toBeHex, Transaction, type TransactionLike } from 'ethers';
import fc from 'fast-check';

/** A JSON object as a node answers it. */
export type Json = Record<string, unknown>;

export const quantity = (value: bigint | number): string => `0x${value.toString(16)}`;
/** Bytes of a number as RLP has them. */
const rlpQuantity = (value: bigint | number): string => (BigInt(value) === 0n ? '0x' : toBeHex(value));
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.slice(2), 'hex'));

/** Root of a list by @ethereumjs/mpt, keys by ethers. */
export async function oracleRoot(values: readonly string[]): Promise<string> {
  const trie = await createMPT();
  for (const [i, value] of values.entries()) await trie.put(bytesOf(encodeRlp(rlpQuantity(i))), bytesOf(value));
  return `0x${Buffer.from(trie.root()).toString('hex')}`;
}

const hexOf = (min: number, max = min) => fc.uint8Array({ minLength: min, maxLength: max }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`);
const address = hexOf(20);
const word = hexOf(32);
const uint = (bits: number) => fc.oneof(fc.constantFrom(0n, 1n, 127n, 128n, 255n, 256n), fc.bigInt(0n, (1n << BigInt(bits)) - 1n)).map((value) => value & ((1n << BigInt(bits)) - 1n));
/** Below half of the curve's order, often with leading zeros. */
const scalar = fc.oneof(fc.bigInt(1n, (1n << 254n) - 1n), fc.bigInt(1n, (1n << 60n) - 1n));
const accessList = fc.array(fc.record({ address, storageKeys: fc.array(word, { maxLength: 3 }) }), { maxLength: 3 });

const signature = fc.record({ r: scalar, s: scalar, parity: fc.constantFrom(0, 1) });
const authorization = fc.record({ address, nonce: uint(64), chainId: fc.constantFrom(0n, 1n, 10n ** 18n), signature });

/** What a transaction is made of, and how a node answers it. */
export const anyTransaction = fc.record({
  type: fc.constantFrom(0, 1, 2, 3, 4), isProtected: fc.boolean(), chainId: fc.constantFrom(1n, 5n, 10n ** 12n), nonce: fc.nat(2 ** 40), gas: uint(50), value: uint(256),
  to: fc.option(address), input: fc.oneof(hexOf(0, 4), hexOf(0, 300)), gasPrice: uint(64), tip: uint(64), fee: uint(64), blobFee: uint(64), accessList, signature,
  blobs: fc.array(word, { minLength: 1, maxLength: 6 }), authorizations: fc.array(authorization, { minLength: 1, maxLength: 3 }),
  // how it is answered
  isPadded: fc.boolean(), parity: fc.constantFrom('both', 'yParity', 'v', 'old v', 'null'), named: fc.constantFrom('input', 'data', 'both'), isUpper: fc.boolean(), isSparse: fc.boolean(),
});
type Made = typeof anyTransaction extends fc.Arbitrary<infer T> ? T : never;

const likeOf = (made: Made): TransactionLike => {
  const { type, isProtected, chainId, nonce, gas, value, input, gasPrice, tip, fee, blobFee, signature: { r, s, parity } } = made;
  // blob and set-code transactions create nothing
  const to = made.to ?? (type > 2 ? `0x${'ab'.repeat(20)}` : null);
  const v = type > 0 ? 27n + BigInt(parity) : isProtected ? chainId * 2n + 35n + BigInt(parity) : 27n + BigInt(parity);
  return {
    type, nonce, gasLimit: gas, value, to, data: input, chainId: type === 0 && !isProtected ? 0n : chainId, signature: { r: toBeHex(r, 32), s: toBeHex(s, 32), v },
    ...(type < 2 ? { gasPrice } : { maxPriorityFeePerGas: tip < fee ? tip : fee, maxFeePerGas: tip < fee ? fee : tip }),
    ...(type > 0 ? { accessList: made.accessList } : {}),
    ...(type === 3 ? { maxFeePerBlobGas: blobFee, blobVersionedHashes: made.blobs } : {}),
    ...(type === 4 ? { authorizationList: made.authorizations.map((one) => ({ address: one.address, nonce: one.nonce, chainId: one.chainId, signature: { r: toBeHex(one.signature.r, 32), s: toBeHex(one.signature.s, 32), v: 27n + BigInt(one.signature.parity) } })) } : {}),
  } as unknown as TransactionLike;
};

const upper = (value: unknown): unknown => (typeof value === 'string' ? `0x${value.slice(2).toUpperCase()}` : value);
const mapped = (object: Json, change: (value: unknown) => unknown): Json => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

const signatureOf = (made: Made, v: bigint): Json => {
  const { parity, isPadded, type, signature: { r, s, parity: y } } = made;
  const numbers = { r: isPadded ? toBeHex(r, 32) : quantity(r), s: isPadded ? toBeHex(s, 32) : quantity(s) };
  if (type === 0) return { ...numbers, v: quantity(v) };
  const byParity: Record<Made['parity'], Json> = { both: { v: quantity(y), yParity: quantity(y) }, yParity: { yParity: quantity(y) }, v: { v: quantity(y) }, 'old v': { v: quantity(27 + y) }, null: { v: quantity(y), yParity: null } };
  return { ...numbers, ...byParity[parity] };
};

/** A transaction as ethers encodes it, and as a node answers it. */
export function answered(made: Made): { readonly encoded: string; readonly json: Json } {
  const like = likeOf(made);
  const { serialized: encoded } = Transaction.from(like);
  const { type, isSparse, isProtected, named, isUpper } = made;
  const json: Json = {
    hash: keccak256(encoded), nonce: quantity(made.nonce), gas: quantity(made.gas), value: quantity(made.value), to: like.to ?? null,
    ...(named === 'input' ? {} : { data: made.input }), ...(named === 'data' ? {} : { input: made.input }),
    ...(type === 0 && isSparse ? {} : { type: quantity(type) }),
    ...(type > 0 || isProtected ? { chainId: quantity(made.chainId) } : isSparse ? { chainId: null } : {}),
    ...(type < 2 || !isSparse ? { gasPrice: quantity(made.gasPrice) } : {}),
    ...(type > 1 ? { maxPriorityFeePerGas: quantity(BigInt(like.maxPriorityFeePerGas ?? 0)), maxFeePerGas: quantity(BigInt(like.maxFeePerGas ?? 0)) } : {}),
    ...(type === 0 ? (isSparse ? { accessList: null } : {}) : isSparse && made.accessList.length === 0 ? {} : { accessList: made.accessList }),
    ...(type === 3 ? { maxFeePerBlobGas: quantity(made.blobFee), blobVersionedHashes: made.blobs } : {}),
    ...(type === 4 ? { authorizationList: made.authorizations.map((one) => ({ address: one.address, nonce: quantity(one.nonce), chainId: quantity(one.chainId), [isSparse ? 'v' : 'yParity']: quantity(one.signature.parity), r: quantity(one.signature.r), s: toBeHex(one.signature.s, 32) })) } : {}),
    ...signatureOf(made, BigInt((like.signature as { v: bigint }).v)),
  };
  return { encoded, json: isUpper ? mapped(json, upper) : json };
}

export const anyWithdrawal = fc.record({ index: uint(64), validatorIndex: uint(40), address, amount: uint(64) });

/** RLP of a withdrawal (EIP-4895) and the answer. */
export function withdrawalOf({ index, validatorIndex, address: to, amount }: typeof anyWithdrawal extends fc.Arbitrary<infer T> ? T : never): { readonly encoded: string; readonly json: Json } {
  return { encoded: encodeRlp([rlpQuantity(index), rlpQuantity(validatorIndex), to, rlpQuantity(amount)]), json: { index: quantity(index), validatorIndex: quantity(validatorIndex), address: to, amount: quantity(amount) } };
}

export const anyReceipt = fc.record({ type: fc.constantFrom(0, 1, 2, 3, 4), status: fc.constantFrom(0, 1), root: word, gas: fc.nat(30_000_000), logs: fc.array(fc.record({ address, topics: fc.array(word, { maxLength: 4 }), data: hexOf(0, 70) }), { maxLength: 4 }) });

/** Bits of a log filter, said in another way: as one large number. */
const bloomOf = (items: readonly string[]): bigint => items.reduce((all, item) => {
  const hash = bytesOf(keccak256(item));
  return [0, 2, 4].reduce((bits, at) => bits | (1n << BigInt((hash[at]! * 256 + hash[at + 1]!) % 2048)), all);
}, 0n);

/** A block's receipts as EIP-2718 and EIP-658 encode them, and as a node answers them. */
export function receiptsOf(made: readonly (typeof anyReceipt extends fc.Arbitrary<infer T> ? T : never)[], form: 'status' | 'root', isSparse: boolean): { readonly encoded: string[]; readonly json: Json[]; readonly transactions: Json[]; readonly logsBloom: string } {
  let cumulative = 0;
  let all = 0n;
  let logIndex = 0;
  const transactions = made.map(({ type }, i) => ({ hash: keccak256(toBeHex(i, 32)), type: quantity(type) }));
  const read = made.map(({ type, status, root, gas, logs }, i) => {
    cumulative += gas;
    const bloom = bloomOf(logs.flatMap((log) => [log.address, ...log.topics]));
    all |= bloom;
    const logsBloom = toBeHex(bloom, 256);
    const list = encodeRlp([form === 'root' ? root : rlpQuantity(status), rlpQuantity(cumulative), logsBloom, logs.map((log) => [log.address, log.topics, log.data])]);
    const json: Json = { transactionHash: transactions[i]!.hash, cumulativeGasUsed: quantity(cumulative), [form]: form === 'root' ? root : quantity(status), logs: logs.map((log) => ({ ...log, ...(isSparse ? {} : { logIndex: quantity(logIndex++), transactionIndex: quantity(i) }) })) };
    return { encoded: type === 0 ? list : `0x0${type}${list.slice(2)}`, json: isSparse ? json : { ...json, type: quantity(type), gasUsed: quantity(gas), logsBloom } };
  });
  return { encoded: read.map(({ encoded }) => encoded), json: read.map(({ json }) => json), transactions, logsBloom: toBeHex(all, 256) };
}
