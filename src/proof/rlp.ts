/** RLP of the Ethereum yellow paper, appendix B. */
export type RlpItem = Uint8Array | readonly RlpItem[];

const lengthBytes = (length: number): number[] => {
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return bytes;
};

const head = (length: number, base: number): number[] => {
  if (length < 56) return [base + length];
  const bytes = lengthBytes(length);
  return [base + 55 + bytes.length, ...bytes];
};

/** Encodes a byte string. */
export function rlpString(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 1 && (bytes[0] as number) < 0x80) return bytes;
  const front = head(bytes.length, 0x80);
  const out = new Uint8Array(front.length + bytes.length);
  out.set(front);
  out.set(bytes, front.length);
  return out;
}

/** Encodes a list of items that are encoded already. */
export function rlpList(items: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const item of items) length += item.length;
  const front = head(length, 0xc0);
  const out = new Uint8Array(front.length + length);
  out.set(front);
  let at = front.length;
  for (const item of items) {
    out.set(item, at);
    at += item.length;
  }
  return out;
}

/** Encodes byte strings and lists of them. */
export function rlpEncode(item: RlpItem): Uint8Array {
  return item instanceof Uint8Array ? rlpString(item) : rlpList(item.map(rlpEncode));
}

/** Encodes a whole number below 2^53. */
export function rlpNumber(value: number): Uint8Array {
  return rlpString(Uint8Array.from(lengthBytes(value)));
}

interface Span {
  readonly isList: boolean;
  readonly from: number;
  readonly to: number;
}

const longLength = (bytes: Uint8Array, at: number, size: number): number => {
  if (at + size > bytes.length || bytes[at] === 0) throw new RangeError('malformed RLP');
  let length = 0;
  for (let i = 0; i < size; i++) length = length * 256 + (bytes[at + i] as number);
  if (length < 56 || !Number.isSafeInteger(length)) throw new RangeError('malformed RLP');
  return length;
};

/** Where the content of the item at a place stands. */
const spanAt = (bytes: Uint8Array, at: number): Span => {
  const first = bytes[at];
  if (first === undefined) throw new RangeError('malformed RLP');
  if (first < 0x80) return { isList: false, from: at, to: at + 1 };
  const isList = first >= 0xc0;
  const short = first - (isList ? 0xc0 : 0x80);
  const size = Math.max(0, short - 55);
  const from = at + 1 + size;
  const to = from + (size === 0 ? short : longLength(bytes, at + 1, size));
  if (to > bytes.length || (!isList && to - from === 1 && (bytes[from] as number) < 0x80)) throw new RangeError('malformed RLP');
  return { isList, from, to };
};

const MAX_DEPTH = 16;

const decodeSpan = (bytes: Uint8Array, { isList, from, to }: Span, depth: number): RlpItem => {
  if (!isList) return bytes.subarray(from, to);
  if (depth >= MAX_DEPTH) throw new RangeError('RLP is nested too deep');
  const items: RlpItem[] = [];
  for (let at = from; at < to; ) {
    const span = spanAt(bytes, at);
    if (span.to > to) throw new RangeError('malformed RLP');
    items.push(decodeSpan(bytes, span, depth + 1));
    at = span.to;
  }
  return items;
};

/**
 * Decodes one item, which must be all there is and in its shortest form.
 * @throws RangeError for anything else
 */
export function rlpDecode(bytes: Uint8Array): RlpItem {
  const span = spanAt(bytes, 0);
  if (span.to !== bytes.length) throw new RangeError('bytes behind the RLP');
  return decodeSpan(bytes, span, 0);
}
