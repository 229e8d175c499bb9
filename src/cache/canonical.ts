import { endOfValue, isArrayAt, isObjectAt, skipSpace } from '../chain/jsonWalk.ts';
import { foldHex, foldQuantity } from './hex.ts';
import { readMembers } from './members.ts';

/** How the value at a place is written in a key. */
export const KIND = {
  /** As it stands, white space apart: DATA, topics, storage keys, overrides, whatever is not known better. */
  raw: 0,
  quantity: 1,
  address: 2,
  hash: 3,
  /** A transaction object. */
  call: 4,
  /** The block; it is cut out. */
  block: 5,
  /** A log filter; its block range is cut out. */
  filter: 6,
  /** An address, or a list of them. */
  addresses: 7,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** Members of a transaction object (EIP-1474 and its successors); `data`, `input` and lists stay as they are. */
export const CALL_MEMBERS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['from', KIND.address],
  ['to', KIND.address],
  ...['gas', 'gasPrice', 'value', 'nonce', 'maxFeePerGas', 'maxPriorityFeePerGas', 'maxFeePerBlobGas', 'chainId', 'type'].map(
    (name): [string, Kind] => [name, KIND.quantity],
  ),
]);

/**
 * The value at `[at, end)` of a valid JSON text as it goes into a key. Null: it is not to be shared, because decoders may
 * disagree about it.
 */
export function canonical(text: string, at: number, end: number, kind: Kind): string | null {
  const isString = text.charCodeAt(at) === 0x22;
  if (isString) {
    if (kind === KIND.address || kind === KIND.addresses) return foldHex(text, at, end, 40);
    if (kind === KIND.quantity) return foldQuantity(text, at, end);
    return kind === KIND.hash ? foldHex(text, at, end, 64) : text.slice(at, end);
  }
  if (isObjectAt(text, at)) return kind === KIND.call ? sorted(text, at, CALL_MEMBERS) : asWritten(text, at);
  return isArrayAt(text, at) ? list(text, at, kind === KIND.addresses ? KIND.address : KIND.raw) : text.slice(at, end);
}

/**
 * An object with its members in order of their names, those of `kinds` folded.
 * @param skip names to leave out
 */
export function sorted(text: string, at: number, kinds: ReadonlyMap<string, Kind>, skip: readonly string[] = []): string | null {
  const members = readMembers(text, at);
  if (members === null) return null;
  const { keys, from, to } = members;
  const order = isSorted(keys) ? null : keys.map((_, index) => index).sort((a, b) => ((keys[a] as string) < (keys[b] as string) ? -1 : 1));
  let out = '';
  for (let i = 0; i < keys.length; i++) {
    const index = order === null ? i : (order[i] as number);
    const key = keys[index] as string;
    if (skip.length > 0 && skip.includes(key)) continue;
    const value = canonical(text, from[index] as number, to[index] as number, kinds.get(key) ?? KIND.raw);
    if (value === null) return null;
    out += `${out === '' ? '' : ','}"${key}":${value}`;
  }
  return `{${out}}`;
}

function isSorted(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] as string) > (keys[i] as string)) return false;
  return true;
}

/** An object in its own order: what it holds may depend on it. */
function asWritten(text: string, at: number): string | null {
  const members = readMembers(text, at);
  if (members === null) return null;
  let out = '{';
  for (let i = 0; i < members.keys.length; i++) {
    const value = canonical(text, members.from[i] as number, members.to[i] as number, KIND.raw);
    if (value === null) return null;
    out += `${i === 0 ? '' : ','}"${members.keys[i]}":${value}`;
  }
  return `${out}}`;
}

function list(text: string, at: number, kind: Kind): string | null {
  let out = '[';
  let i = skipSpace(text, at + 1);
  while (text.charCodeAt(i) !== 0x5d) {
    const end = endOfValue(text, i);
    if (end <= i) return null;
    const value = canonical(text, i, end, kind);
    if (value === null) return null;
    out += out.length === 1 ? value : `,${value}`;
    i = skipSpace(text, end);
    if (text.charCodeAt(i) !== 0x2c) break;
    i = skipSpace(text, i + 1);
  }
  return `${out}]`;
}
