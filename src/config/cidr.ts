/** A range of IP addresses. */
export interface Cidr {
  readonly bits: 32 | 128;
  /** The address as a number; bits beyond the prefix are zero. */
  readonly base: bigint;
  readonly prefix: number;
}

const parseV4 = (text: string): bigint | null => {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return null;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
};

const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));

const parseV6 = (text: string): bigint | null => {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const left = groups(halves[0] ?? '');
  const right = groups(halves[1] ?? '');
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const all = [...left, ...Array<string>(halves.length === 2 ? missing : 0).fill('0'), ...right];
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
};

/** Reads an IPv4 or IPv6 address (groups in hex, no zone); null when it is none. */
export function parseAddress(text: string): { readonly bits: 32 | 128; readonly value: bigint } | null {
  const v4 = parseV4(text);
  if (v4 !== null) return { bits: 32, value: v4 };
  const v6 = parseV6(text);
  return v6 === null ? null : { bits: 128, value: v6 };
}

/** Reads `10.0.0.0/8`, `::1/128` or a bare address; null when it is none of them. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const suffix = slash < 0 ? String(address.bits) : text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(suffix) || Number(suffix) > address.bits) return null;
  const prefix = Number(suffix);
  const host = BigInt(address.bits - prefix);
  return { bits: address.bits, base: (address.value >> host) << host, prefix };
}

/** True when the address text lies in the range; IPv4 and IPv6 never match each other. */
export function cidrContains(range: Cidr, addressText: string): boolean {
  const address = parseAddress(addressText);
  if (address === null || address.bits !== range.bits) return false;
  const host = BigInt(range.bits - range.prefix);
  return (address.value >> host) << host === range.base;
}
