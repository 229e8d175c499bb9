import { crc32 } from 'node:zlib';
import type { ChainSpec } from './anvil.ts';

/** One transaction of a block: its hash, and the bytes that `eth_sendRawTransaction` takes (with blobs, for type 3). */
export interface RawTransaction {
  readonly hash: string;
  readonly raw: string;
}

/** All that is needed to make a block again on another node, and to know that it is the same. */
export interface BlockRecord {
  readonly number: number;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly hash: string;
  /** Name of the node that made it first. */
  readonly builder: string;
  /** In the order of execution. */
  readonly transactions: readonly RawTransaction[];
}

/** First line of a log: what every node of the chain is started with, and the block 0 this must give. */
export interface LogHeader extends ChainSpec {
  readonly format: 1;
  readonly genesisHash: string;
}

/** A line of a log. `cut`: every block from that number on is void; what follows starts there again. */
export type LogLine =
  | { readonly type: 'header'; readonly header: LogHeader }
  | { readonly type: 'block'; readonly block: BlockRecord }
  | { readonly type: 'cut'; readonly from: number };

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}

/** One line with its newline: CRC-32 of the JSON text in hex, a space, the JSON text. */
export function encodeLine(line: LogLine): string {
  const json = JSON.stringify(line);
  return `${checksum(json)} ${json}\n`;
}

/**
 * Reads a line without its newline. Null when it is damaged: no checksum, or one that does not fit. A line whose checksum
 * fits was written whole by `encodeLine`, so its shape is not checked again.
 */
export function decodeLine(text: string): LogLine | null {
  const json = text.slice(9);
  if (text.charAt(8) !== ' ' || text.slice(0, 8) !== checksum(json)) return null;
  const line = JSON.parse(json) as LogLine;
  return line.type === 'header' || line.type === 'block' || line.type === 'cut' ? line : null;
}
