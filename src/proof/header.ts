import { type Keccak, unsupported, wrong } from './fault.ts';
import { dataBytes, quantityBytes, quantityNumber, toHex } from './hex.ts';
import { rlpList, rlpString } from './rlp.ts';

/** A JSON object as a node answered it. */
export type Captured = Readonly<Record<string, unknown>>;

/** Bytes of a field; a quantity; or data of any length. */
type Form = number | 'quantity' | 'data';

const FIELDS: readonly (readonly [string, Form])[] = [
  ['parentHash', 32], ['sha3Uncles', 32], ['miner', 20], ['stateRoot', 32], ['transactionsRoot', 32], ['receiptsRoot', 32],
  ['logsBloom', 256], ['difficulty', 'quantity'], ['number', 'quantity'], ['gasLimit', 'quantity'], ['gasUsed', 'quantity'],
  ['timestamp', 'quantity'], ['extraData', 'data'], ['mixHash', 32], ['nonce', 8],
];

/** In the order in which forks added them: London, Shanghai, Cancun, Prague (EIP-1559, 4895, 4844, 4788, 7685). */
const ADDED: readonly (readonly [string, Form])[] = [
  ['baseFeePerGas', 'quantity'], ['withdrawalsRoot', 32], ['blobGasUsed', 'quantity'], ['excessBlobGas', 'quantity'],
  ['parentBeaconBlockRoot', 32], ['requestsHash', 32],
];

/** Members of an answer that are not in the header's RLP. */
const BESIDE = new Set(['hash', 'size', 'totalDifficulty', 'transactions', 'uncles', 'withdrawals', 'author', 'sealFields']);
const KNOWN = new Set([...FIELDS, ...ADDED].map(([name]) => name).concat([...BESIDE]));

const encode = (value: unknown, form: Form, field: string): Uint8Array =>
  rlpString(form === 'quantity' ? quantityBytes(value, field) : dataBytes(value, field, form === 'data' ? undefined : form));

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

const unknownFields = (block: Captured): string[] =>
  Object.keys(block).filter((key) => !KNOWN.has(key) && isThere(block[key]));

/**
 * RLP of a header, of any fork from Frontier to Prague and those behind it that add no field (Osaka).
 * @throws ProofFault for a field that is missing or malformed
 */
export function encodeHeader(block: Captured): Uint8Array {
  const parts = FIELDS.map(([name, form]) => encode(block[name], form, name));
  const end = ADDED.findLastIndex(([name]) => isThere(block[name]));
  for (const [name, form] of ADDED.slice(0, end + 1)) {
    if (!isThere(block[name])) throw wrong(name, `is missing, though a later fork's ${ADDED[end]?.[0]} is there`);
    parts.push(encode(block[name], form, name));
  }
  return rlpList(parts);
}

/** A header whose hash was recomputed. */
export interface Header {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestampS: number;
}

/**
 * Recomputes the hash of a header and compares it with the one it claims.
 * @throws ProofFault; `unsupported` when the hash differs and there are members that could be a newer fork's fields
 */
export function checkHeader(keccak: Keccak, block: Captured): Header {
  const encoded = encodeHeader(block);
  const claimed = toHex(dataBytes(block['hash'], 'hash', 32));
  const hash = toHex(keccak(encoded));
  if (hash !== claimed) {
    const unknown = unknownFields(block);
    if (unknown.length > 0) throw unsupported(unknown[0] as string, `header field ${unknown.join(', ')} is not known`);
    throw wrong('hash', `the header hashes to ${hash}, not to ${claimed}`);
  }
  return {
    number: quantityNumber(block['number'], 'number'),
    hash,
    parentHash: String(block['parentHash']).toLowerCase(),
    timestampS: quantityNumber(block['timestamp'], 'timestamp'),
  };
}

/** Whether a header stands right behind another. @throws ProofFault naming the field that breaks the chain */
export function checkLink(parent: Header, { number, parentHash, timestampS }: Header): void {
  if (number !== parent.number + 1) throw wrong('number', `is ${number} behind ${parent.number}`);
  if (parentHash !== parent.hash) throw wrong('parentHash', `is ${parentHash}, but block ${parent.number} is ${parent.hash}`);
  if (timestampS < parent.timestampS) throw wrong('timestamp', `is ${timestampS}, before the ${parent.timestampS} of its parent`);
}
