import { type Keccak, unsupported, wrong } from './fault.ts';
import type { Captured } from './header.ts';
import { dataBytes, quantityBytes, sameBytes, toHex } from './hex.ts';
import { objectsIn } from './member.ts';
import { type RlpItem, rlpDecode } from './rlp.ts';
import { EMPTY_ROOT, readTrieProof } from './trieProof.ts';

/** Hash of no code: keccak of nothing. */
const EMPTY_CODE = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470';
const ZERO = `0x${'0'.repeat(64)}`;

/** What an `eth_getProof` answer was found to prove. */
export interface AccountCounts {
  /** Whether the account is there; its absence is proven else. */
  readonly isPresent: boolean;
  /** Slots that were looked up in a storage trie that holds something: of an empty one there is nothing to damage. */
  readonly slots: number;
}

const nodesOf = (value: unknown, field: string): Uint8Array[] => {
  if (!Array.isArray(value)) throw wrong(field, 'is not a list');
  return value.map((node, i) => dataBytes(node, `${field}[${i}]`));
};

const decode = (bytes: Uint8Array, field: string): RlpItem => {
  try {
    return rlpDecode(bytes);
  } catch {
    throw wrong(field, 'the leaf is not RLP');
  }
};

const expectQuantity = (claimed: unknown, proven: Uint8Array, field: string): void => {
  if (!sameBytes(quantityBytes(claimed, field), proven)) throw wrong(field, `is ${String(claimed)}, but ${toHex(proven)} is proven`);
};

/** Of an account that is not there nodes say zeros, or the hashes of nothing. */
const checkAbsent = (proof: Captured): void => {
  expectQuantity(proof['balance'], new Uint8Array(), 'balance');
  expectQuantity(proof['nonce'], new Uint8Array(), 'nonce');
  for (const [field, empty] of [['codeHash', EMPTY_CODE], ['storageHash', EMPTY_ROOT]] as const) {
    const claimed = toHex(dataBytes(proof[field], field, 32));
    if (claimed !== empty && claimed !== ZERO) throw wrong(field, 'is not that of nothing, but the account is proven absent');
  }
};

const checkPresent = (proof: Captured, leaf: Uint8Array): void => {
  const fields = decode(leaf, 'accountProof');
  if (fields instanceof Uint8Array) throw wrong('accountProof', 'the leaf is no account');
  // The state root commits to it all the same.
  if (fields.length !== 4 || !fields.every((item) => item instanceof Uint8Array)) throw unsupported('accountProof', `the account has ${fields.length} members`);
  const [nonce, balance, storageRoot, codeHash] = fields as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  expectQuantity(proof['nonce'], nonce, 'nonce');
  expectQuantity(proof['balance'], balance, 'balance');
  for (const [field, proven] of [['storageHash', storageRoot], ['codeHash', codeHash]] as const) {
    if (!sameBytes(dataBytes(proof[field], field, 32), proven)) throw wrong(field, `is ${String(proof[field])}, but ${toHex(proven)} is proven`);
  }
};

/** Place of a slot: 32 bytes; nodes answer it as they were asked, or as a quantity. */
const slotKey = (slot: Captured, at: string): Uint8Array => {
  const position = quantityBytes(slot['key'], `${at}.key`);
  const key = new Uint8Array(32);
  key.set(position, 32 - position.length);
  return key;
};

const checkSlot = (keccak: Keccak, slot: Captured, root: Uint8Array, at: string): void => {
  const key = slotKey(slot, at);
  const leaf = readTrieProof(keccak, nodesOf(slot['proof'], `${at}.proof`), { root, key: keccak(key), field: `${at}.proof` });
  const value = leaf === null ? new Uint8Array() : decode(leaf, `${at}.proof`);
  if (!(value instanceof Uint8Array)) throw wrong(`${at}.proof`, 'the leaf is no value');
  expectQuantity(slot['value'], value, `${at}.value`);
};

/**
 * Checks an answer of `eth_getProof` (EIP-1186) against a state root.
 * @throws ProofFault naming the field that does not fit
 */
export function checkAccountProof(keccak: Keccak, stateRoot: Uint8Array, proof: Captured): AccountCounts {
  const address = dataBytes(proof['address'], 'address', 20);
  const nodes = nodesOf(proof['accountProof'], 'accountProof');
  const leaf = readTrieProof(keccak, nodes, { root: stateRoot, key: keccak(address), field: 'accountProof' });
  if (leaf === null) checkAbsent(proof);
  else checkPresent(proof, leaf);
  const slots = objectsIn(proof['storageProof'] ?? [], 'storageProof');
  const keys = slots.map((slot, i) => toHex(slotKey(slot, `storageProof[${i}]`)));
  const again = keys.findIndex((key, i) => keys.indexOf(key) !== i);
  if (again >= 0) throw wrong(`storageProof[${again}].key`, 'was there before, and would count twice');
  const root = leaf === null ? dataBytes(EMPTY_ROOT, 'storageHash') : dataBytes(proof['storageHash'], 'storageHash', 32);
  for (const [i, slot] of slots.entries()) checkSlot(keccak, slot, root, `storageProof[${i}]`);
  return { isPresent: leaf !== null, slots: toHex(root) === EMPTY_ROOT ? 0 : slots.length };
}
