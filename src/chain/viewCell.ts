import { hashString } from '../base/hash.ts';
import type { BlockMark, Head } from './head.ts';

/** What every process must know of a trusted chain before it answers. */
export interface TrustedMark {
  readonly epoch: number;
  readonly head: Head | null;
  readonly finalized: BlockMark | null;
  readonly blockTimeMs: number;
}

/** Bytes of one copy of a mark: sequence number, length and checksum in 12, then JSON. */
const COPY_BYTES = 1024;
const HEADER_BYTES = 12;
/** Bytes of a cell: two copies, written in turn, so that one is whole at any time. */
export const CELL_BYTES = 2 * COPY_BYTES;

/**
 * One copy of a mark. A reader in another process may see any mix of the bytes before and after: the checksum tells.
 * @param sequence 1, 2, 3 …; never used twice for a cell
 * @throws RangeError when the mark does not fit
 */
export function encodeMark(mark: TrustedMark, sequence: number): { readonly bytes: Uint8Array; readonly offset: number } {
  const text = JSON.stringify(mark);
  if (HEADER_BYTES + text.length > COPY_BYTES) throw new RangeError('encodeMark: the mark does not fit its cell');
  const bytes = new Uint8Array(COPY_BYTES);
  const header = new DataView(bytes.buffer);
  header.setUint32(0, sequence);
  header.setUint32(4, text.length);
  header.setUint32(8, hashString(text, sequence));
  for (let i = 0; i < text.length; i++) bytes[HEADER_BYTES + i] = text.charCodeAt(i);
  return { bytes, offset: (sequence % 2) * COPY_BYTES };
}

/** Reads a cell; cheap while nothing in it is new. */
export class MarkReader {
  /** What is read into: `CELL_BYTES`. */
  readonly cell = new Uint8Array(CELL_BYTES);
  readonly #view = new DataView(this.cell.buffer);
  #sequence = 0;

  /** The mark in `cell` when it is newer than the last one; else null. */
  next(): TrustedMark | null {
    if (!this.hasNews) return null;
    const newest = this.#view.getUint32(0) > this.#view.getUint32(COPY_BYTES) ? 0 : COPY_BYTES;
    return this.#read(newest) ?? this.#read(COPY_BYTES - newest);
  }

  /** A newer mark is, or was being written when `cell` was read. After `next` gave null: read the cell again. */
  get hasNews(): boolean {
    return this.#view.getUint32(0) > this.#sequence || this.#view.getUint32(COPY_BYTES) > this.#sequence;
  }

  #read(offset: number): TrustedMark | null {
    const sequence = this.#view.getUint32(offset);
    const length = this.#view.getUint32(offset + 4);
    if (sequence <= this.#sequence || length > COPY_BYTES - HEADER_BYTES) return null;
    const start = offset + HEADER_BYTES;
    const text = String.fromCharCode(...this.cell.subarray(start, start + length));
    if (hashString(text, sequence) !== this.#view.getUint32(offset + 8)) return null;
    this.#sequence = sequence;
    return JSON.parse(text) as TrustedMark;
  }
}
