import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CELL_BYTES, MarkReader, encodeMark } from '../../chain/viewCell.ts';
import type { TrustedMark } from '../../chain/viewCell.ts';

/** In memory where the system has that; its own folder for such files otherwise. */
const FOLDERS = ['/dev/shm', tmpdir()];

/** @throws Error naming the folders when a file can be made in none of them */
function openNameless(): number {
  const reasons: string[] = [];
  for (const folder of FOLDERS) {
    const path = join(folder, `tidegate-${process.pid}-${randomBytes(6).toString('hex')}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return fd;
    } catch (error) {
      reasons.push(`${folder}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
    }
  }
  throw new Error(`server.workers needs a small file that all workers share, and it cannot be made (${reasons.join(', ')})`);
}

/**
 * The trusted mark of each chain, in a file without a name that worker processes inherit open: it leaves nothing behind,
 * however they end. Only the process that judges writes it.
 */
export class CellFile {
  readonly fd = openNameless();
  /** By cell: how often it was written. The copies of a cell take turns by it. */
  private readonly writes: number[] = [];
  private closed = false;

  /** A number for one more cell; a cell is never used for another chain. */
  add(): number {
    return this.writes.push(0) - 1;
  }

  /** Every process that reads the cell from now on sees this mark, or a newer one. */
  write(cell: number, mark: TrustedMark): void {
    if (this.closed) return;
    const sequence = (this.writes[cell] ?? 0) + 1;
    this.writes[cell] = sequence;
    const { bytes, offset } = encodeMark(mark, sequence);
    writeSync(this.fd, bytes, 0, bytes.length, cell * CELL_BYTES + offset);
  }

  close(): void {
    this.closed = true;
    closeSync(this.fd);
  }
}

const MAX_READS = 8;

/** What reads one cell: gives its mark when it is newer than the last one, else null. */
export function cellSource(fd: number, cell: number): () => TrustedMark | null {
  const reader = new MarkReader();
  const at = cell * CELL_BYTES;
  return () => {
    // both copies can only be half written when two marks were written during one read
    for (let tries = 0; tries < MAX_READS; tries++) {
      readSync(fd, reader.cell, 0, CELL_BYTES, at);
      const mark = reader.next();
      if (mark !== null || !reader.hasNews) return mark;
    }
    return null;
  };
}
