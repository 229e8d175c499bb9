/** A transaction as a node's JSON gives it. */
export type TransactionJson = Readonly<Record<string, unknown>>;

type Item = Buffer | readonly Item[];

function lengthPrefix(size: number, base: number): Buffer {
  if (size <= 55) return Buffer.from([base + size]);
  const digits = size.toString(16);
  const length = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  return Buffer.concat([Buffer.from([base + 55 + length.length]), length]);
}

/** RLP. Source: Ethereum yellow paper, appendix B. */
function rlp(item: Item): Buffer {
  if (Buffer.isBuffer(item)) {
    const [first] = item;
    if (item.length === 1 && first !== undefined && first < 0x80) return item;
    return Buffer.concat([lengthPrefix(item.length, 0x80), item]);
  }
  const body = Buffer.concat((item as readonly Item[]).map(rlp));
  return Buffer.concat([lengthPrefix(body.length, 0xc0), body]);
}

/** Bytes of hex data; absent = none. */
function data(value: unknown): Buffer {
  return Buffer.from(typeof value === 'string' ? value.slice(2) : '', 'hex');
}

/** Bytes of a hex quantity, big endian without leading zeros; absent or 0 = none. */
function quantity(value: unknown): Buffer {
  const digits = typeof value === 'string' ? value.slice(2).replace(/^0+/, '') : '';
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
}

function list(value: unknown): TransactionJson[] {
  return Array.isArray(value) ? (value as TransactionJson[]) : [];
}

function accessList(value: unknown): Item {
  return list(value).map((entry) => [data(entry['address']), (entry['storageKeys'] as unknown[]).map(data)]);
}

function authorizations(value: unknown): Item {
  return list(value).map((one) => [
    ...['chainId'].map((name) => quantity(one[name])),
    data(one['address']),
    ...['nonce', 'yParity', 'r', 's'].map((name) => quantity(one[name])),
  ]);
}

/**
 * The bytes that `eth_sendRawTransaction` takes, rebuilt from a signed transaction's JSON. Null for a type that cannot be
 * (blobs are not in the JSON). Sources: EIP-155, EIP-2930, EIP-1559, EIP-7702.
 */
export function encodeTransaction(json: TransactionJson): string | null {
  const q = (...names: string[]): Buffer[] => names.map((name) => quantity(json[name]));
  const call: Item[] = [data(json['to']), ...q('value'), data(json['input'])];
  const signature = [quantity(json['yParity'] ?? json['v']), ...q('r', 's')];
  const lists = [accessList(json['accessList'])];
  const type = Number(json['type'] ?? 0);
  let fields: Item[];
  if (type === 0) fields = [...q('nonce', 'gasPrice', 'gas'), ...call, ...q('v', 'r', 's')];
  else if (type === 1) fields = [...q('chainId', 'nonce', 'gasPrice', 'gas'), ...call, ...lists, ...signature];
  else if (type === 2 || type === 4) {
    if (type === 4) lists.push(authorizations(json['authorizationList']));
    fields = [...q('chainId', 'nonce', 'maxPriorityFeePerGas', 'maxFeePerGas', 'gas'), ...call, ...lists, ...signature];
  } else return null;
  return `0x${type === 0 ? '' : `0${type}`}${rlp(fields).toString('hex')}`;
}
