/** Files up to this size are searched whole; keys are small. */
export const SCAN_BYTES = 1_048_576;

const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----/;
const RAW_HEX = /^\s*(0x)?[0-9a-f]{64}\s*$/i;
const WORDS = /^\s*([a-z]{3,8}\s+){11}(([a-z]{3,8}\s+){3}){0,4}[a-z]{3,8}\s*$/;
const NAMED = /key|secret|jwt|seed|identity|wallet/i;
const KEY_MEMBER = /"(private_?key|priv_?key|secret_?key|mnemonic)"\s*:\s*("[^"]{16,}"|\{)/i;

const isByteList = (value: unknown): boolean =>
  Array.isArray(value) && (value.length === 64 || value.length === 32) && value.every((item) => Number.isInteger(item) && item >= 0 && item < 256);

const isKeystore = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  const crypto = Object.entries(value).find(([key]) => key.toLowerCase() === 'crypto')?.[1] as unknown;
  return typeof crypto === 'object' && crypto !== null && 'kdf' in crypto && ('ciphertext' in crypto || 'cipher' in crypto);
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * What secret a file seems to hold; null when none is seen. A guess by shape that rather stops once too often: PEM keys,
 * 32 bytes in hex (node keys, JWT secrets), keystores, key files of validators, lists of bytes, mnemonics.
 * @param text the content in Latin-1, at most SCAN_BYTES of it
 */
export function secretIn(path: string, text: string): string | null {
  if (PEM.test(text)) return 'a private key in PEM';
  if (RAW_HEX.test(text)) return '32 bytes in hex, as a node key or JWT secret';
  if (text.length === 32 && NAMED.test(path.slice(path.lastIndexOf('/') + 1))) return '32 raw bytes under the name of a key';
  if (WORDS.test(text)) return 'a mnemonic';
  if (KEY_MEMBER.test(text)) return 'a member that is named as a private key';
  const first = text.trimStart()[0];
  if (first !== '{' && first !== '[') return null;
  const value = parse(text);
  if (isByteList(value)) return 'a list of bytes, as a validator key';
  return isKeystore(value) || (isKeystore((value as { crypto?: unknown } | undefined)?.crypto)) ? 'an encrypted keystore' : null;
}
