import { keccak_256 } from '@noble/hashes/sha3';

/** Fields of an Ethereum header in the order of their encoding; those after `nonce` came one fork after another. */
const FIELDS = [
  'parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'logsBloom', 'difficulty', 'number',
  'gasLimit', 'gasUsed', 'timestamp', 'extraData', 'mixHash', 'nonce', 'baseFeePerGas', 'withdrawalsRoot', 'blobGasUsed',
  'excessBlobGas', 'parentBeaconBlockRoot', 'requestsHash',
] as const;
const ALWAYS = 15;
/** Numbers are encoded without leading zeros, the others at their full length. */
const NUMBERS: ReadonlySet<string> = new Set(['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas', 'blobGasUsed', 'excessBlobGas']);
const HEX = /^0x[0-9a-fA-F]*$/;

/**
 * The hash that a header's own fields make: keccak-256 of their RLP (yellow paper 4.3.3; EIP-1559, 4895, 4844, 4788, 7685).
 * @returns lower case; '' when a field is missing or malformed. A chain whose headers have other fields gets another hash.
 */
export function headerHash(header: Readonly<Record<string, unknown>>): string {
  const parts: Buffer[] = [];
  for (const [place, name] of FIELDS.entries()) {
    const value = header[name];
    if ((value === undefined || value === null) && place >= ALWAYS) break;
    if (typeof value !== 'string' || !HEX.test(value)) return '';
    parts.push(encode(NUMBERS.has(name) ? shortest(value) : Buffer.from(value.slice(2), 'hex')));
  }
  const body = Buffer.concat(parts);
  return `0x${Buffer.from(keccak_256(Buffer.concat([prefix(body.length, 0xc0), body]))).toString('hex')}`;
}

function shortest(hex: string): Buffer {
  const digits = hex.slice(2).replace(/^0+/, '');
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
}

function encode(bytes: Buffer): Buffer {
  return bytes.length === 1 && (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([prefix(bytes.length, 0x80), bytes]);
}

/** RLP's length prefix. @param base 0x80 for a string, 0xc0 for a list */
function prefix(length: number, base: number): Buffer {
  if (length < 56) return Buffer.from([base + length]);
  const size = shortest(`0x${length.toString(16)}`);
  return Buffer.concat([Buffer.from([base + 55 + size.length]), size]);
}
