import { unsupported, wrong } from './fault.ts';
import type { Captured } from './header.ts';
import { dataBytes, quantityBytes } from './hex.ts';
import { listIn, objectsIn } from './member.ts';
import { rlpList, rlpString } from './rlp.ts';

/** One field of a transaction, encoded. */
type Encode = (transaction: Captured, at: string) => Uint8Array;

const quantity = (name: string): Encode => (transaction, at) => rlpString(quantityBytes(transaction[name], `${at}.${name}`));

/** Some nodes answer it as `data`, some as both. */
const input: Encode = ({ input: named, data }, at) => rlpString(dataBytes(named ?? data, `${at}.input`));

const to: Encode = ({ to: address }, at) =>
  rlpString(address === null || address === undefined || address === '0x' ? new Uint8Array() : dataBytes(address, `${at}.to`, 20));

/** Some nodes only have it as `v`. */
const ownParity: Encode = (item, at) => (item['yParity'] == null ? quantity('v') : quantity('yParity'))(item, at);

/** 0 or 1. Where there is only `v` it may be 27 or 28, as legacy transactions have it. */
const yParity: Encode = (transaction, at) => {
  if (transaction['yParity'] != null) return quantity('yParity')(transaction, at);
  const bytes = quantityBytes(transaction['v'], `${at}.v`);
  const isOld = bytes.length === 1 && (bytes[0] === 27 || bytes[0] === 28);
  return rlpString(isOld ? Uint8Array.from(bytes[0] === 28 ? [1] : []) : bytes);
};

const accessList: Encode = (transaction, at) =>
  rlpList(
    objectsIn(transaction['accessList'] ?? [], `${at}.accessList`).map((item, i) => {
      const place = `${at}.accessList[${i}]`;
      const { address, storageKeys } = item;
      const keys = listIn(storageKeys ?? [], `${place}.storageKeys`).map((key, k) => rlpString(dataBytes(key, `${place}.storageKeys[${k}]`, 32)));
      return rlpList([rlpString(dataBytes(address, `${place}.address`, 20)), rlpList(keys)]);
    }),
  );

const blobHashes: Encode = ({ blobVersionedHashes }, at) =>
  rlpList(listIn(blobVersionedHashes, `${at}.blobVersionedHashes`).map((hash, i) => rlpString(dataBytes(hash, `${at}.blobVersionedHashes[${i}]`, 32))));

const AUTHORIZATION: readonly Encode[] = [
  quantity('chainId'),
  (item, at) => rlpString(dataBytes(item['address'], `${at}.address`, 20)),
  // of an authorization that is void it may be any byte
  quantity('nonce'), ownParity, quantity('r'), quantity('s'),
];

const authorizations: Encode = ({ authorizationList }, at) =>
  rlpList(
    objectsIn(authorizationList, `${at}.authorizationList`).map((item, i) => {
      const place = `${at}.authorizationList[${i}]`;
      return rlpList(AUTHORIZATION.map((encode) => encode(item, place)));
    }),
  );

const TARGET: readonly Encode[] = [quantity('gas'), to, quantity('value'), input];
const FEES: readonly Encode[] = [quantity('chainId'), quantity('nonce'), quantity('maxPriorityFeePerGas'), quantity('maxFeePerGas')];
const SIGNATURE: readonly Encode[] = [yParity, quantity('r'), quantity('s')];

/** Fields by type: legacy, EIP-2930, EIP-1559, EIP-4844, EIP-7702. */
const TYPES: readonly (readonly Encode[])[] = [
  [quantity('nonce'), quantity('gasPrice'), ...TARGET, quantity('v'), quantity('r'), quantity('s')],
  [quantity('chainId'), quantity('nonce'), quantity('gasPrice'), ...TARGET, accessList, ...SIGNATURE],
  [...FEES, ...TARGET, accessList, ...SIGNATURE],
  [...FEES, ...TARGET, accessList, quantity('maxFeePerBlobGas'), blobHashes, ...SIGNATURE],
  [...FEES, ...TARGET, accessList, authorizations, ...SIGNATURE],
];

/** Type of a transaction or receipt. @throws ProofFault when it is not known */
export function typeOf(item: Captured, at: string): number {
  const type = item['type'] ?? '0x0';
  if (typeof type !== 'string' || !/^0x[0-9a-f]{1,4}$/i.test(type)) throw wrong(`${at}.type`, 'is not a quantity');
  const number = Number(type);
  if (number >= TYPES.length) throw unsupported(`${at}.type`, `transaction type ${type} is not known`);
  return number;
}

/** Puts the type of EIP-2718 before what it is about; legacy ones have none. */
export function typed(type: number, encoded: Uint8Array): Uint8Array {
  if (type === 0) return encoded;
  const out = new Uint8Array(encoded.length + 1);
  out[0] = type;
  out.set(encoded, 1);
  return out;
}

const isZero = (value: unknown, field: string): boolean => quantityBytes(value, field).length === 0;

/**
 * Bytes of a transaction as a block commits to it.
 * @param at where it stands, for faults, such as `transactions[3]`
 */
export function encodeTransaction(transaction: Captured, at: string): Uint8Array {
  const type = typeOf(transaction, at);
  if (type === 0 && ['v', 'r', 's'].every((name) => isZero(transaction[name], `${at}.${name}`))) throw unsupported(`${at}.v`, 'a transaction that nobody signed is of another network');
  return typed(type, rlpList((TYPES[type] as readonly Encode[]).map((encode) => encode(transaction, at))));
}
