import { type Keccak, type ProofFault, unsupported, wrong } from './fault.ts';
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
const BESIDE = new Set(['hash', 'size', 'totalDifficulty', 'transactions', 'uncles', 'withdrawals', 'author']);
const KNOWN = new Set([...FIELDS, ...ADDED].map(([name]) => name).concat([...BESIDE]));

const encode = (value: unknown, form: Form, field: string): Uint8Array =>
  rlpString(form === 'quantity' ? quantityBytes(value, field) : dataBytes(value, field, form === 'data' ? undefined : form));

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

const unknownFields = (block: Captured): string[] =>
  Object.keys(block).filter((key) => !KNOWN.has(key) && isThere(block[key]));

/** Fields of forks up to the last that the header has one of. */
const addedFields = (block: Captured): readonly (readonly [string, Form])[] =>
  ADDED.slice(0, ADDED.findLastIndex(([name]) => isThere(block[name])) + 1);

/**
 * RLP of a header, of any fork from Frontier to Prague and those behind it that add no field (Osaka). A field that is missing
 * before a later one is empty, as networks encode it that left a fork out.
 * @throws ProofFault for a field that is malformed, or missing in every fork
 */
export function encodeHeader(block: Captured): Uint8Array {
  const parts = FIELDS.map(([name, form]) => encode(block[name], form, name));
  for (const [name, form] of addedFields(block)) parts.push(isThere(block[name]) ? encode(block[name], form, name) : rlpString(new Uint8Array()));
  return rlpList(parts);
}

/** Why a header does not have the hash that it claims: what is not known comes first, since it could be part of it. */
const mismatch = (block: Captured, hash: string, claimed: string): ProofFault => {
  const unknown = unknownFields(block);
  if (unknown.length > 0) return unsupported(unknown[0] as string, `header field ${unknown.join(', ')} is not known`);
  const added = addedFields(block);
  const gap = added.find(([name]) => !isThere(block[name]));
  if (gap !== undefined) return wrong(gap[0], `is missing, though a later fork's ${added.at(-1)?.[0]} is there`);
  return wrong('hash', `the header hashes to ${hash}, not to ${claimed}`);
};

/** A header whose hash was recomputed. */
export interface Header {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestampS: number;
}

/**
 * Recomputes the hash of a header and compares it with the one it claims.
 * @throws ProofFault; `unsupported` when the hash differs, or a field is missing, and there are members that could be another fork's fields
 */
export function checkHeader(keccak: Keccak, block: Captured): Header {
  const absent = FIELDS.find(([name]) => !isThere(block[name]));
  const unknown = absent === undefined ? undefined : unknownFields(block)[0];
  if (absent !== undefined && unknown !== undefined) throw unsupported(unknown, `header field ${unknown} is not known, and there is no ${absent[0]}`);
  const encoded = encodeHeader(block);
  const claimed = toHex(dataBytes(block['hash'], 'hash', 32));
  const hash = toHex(keccak(encoded));
  if (hash !== claimed) throw mismatch(block, hash, claimed);
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
