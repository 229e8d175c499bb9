const MAPPED = /^(?:::ffff:|0000:0000:0000:0000:0000:ffff:)/i;

/** A peer's address as text; IPv4 that came in IPv6 dress (RFC 4291 section 2.5.5.2) as IPv4. */
export function foldAddress(text: string): string {
  const prefix = MAPPED.exec(text);
  if (prefix === null) return text;
  const rest = text.slice(prefix[0].length);
  if (rest.includes('.')) return rest;
  // Two groups of hex digits: 7f00:0001.
  const [high = '', low = ''] = rest.split(':');
  const value = (Number.parseInt(high, 16) << 16) | Number.parseInt(low, 16);
  return `${(value >>> 24) & 255}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}
