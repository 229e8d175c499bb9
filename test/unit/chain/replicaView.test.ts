import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplicaView } from '../../../src/chain/replicaView.ts';
import { CELL_BYTES, MarkReader, encodeMark } from '../../../src/chain/viewCell.ts';
import type { TrustedMark } from '../../../src/chain/viewCell.ts';

const hash = (number: number, fork = 'a'): string => `0x${fork.repeat(40)}${number.toString(16).padStart(24, '0')}`;
const mark = (number: number, epoch = 0, fork = 'a'): TrustedMark => ({
  epoch,
  head: { number, hash: hash(number, fork), parentHash: hash(number - 1, fork), timestampS: 1_700_000_000 + number },
  finalized: number < 64 ? null : { number: number - 64, hash: hash(number - 64) },
  blockTimeMs: 12_000,
});

/** A cell as a file holds it; `torn` cuts the next write short. */
class Cell {
  readonly bytes = new Uint8Array(CELL_BYTES);
  private sequence = 0;

  write(next: TrustedMark, torn = Number.POSITIVE_INFINITY): void {
    const { bytes, offset } = encodeMark(next, ++this.sequence);
    this.bytes.set(bytes.subarray(0, Math.min(torn, bytes.length)), offset);
  }

  read(reader: MarkReader): TrustedMark | null {
    reader.cell.set(this.bytes);
    return reader.next();
  }
}

describe('a cell', () => {
  it('gives each mark once, and nothing while it is empty', () => {
    const [cell, reader] = [new Cell(), new MarkReader()];
    expect(cell.read(reader)).toBeNull();
    cell.write(mark(100));
    expect(cell.read(reader)).toEqual(mark(100));
    expect(cell.read(reader)).toBeNull();
    cell.write(mark(101));
    cell.write(mark(102));
    expect(cell.read(reader)).toEqual(mark(102));
    expect(cell.read(reader)).toBeNull();
  });

  it('never gives what is half written, and gives the mark before it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 3, max: 9 }), (torn, marks) => {
        const cell = new Cell();
        for (let number = 1; number <= marks; number++) cell.write(mark(number * 1000));
        cell.write(mark(99_999_999, 7, 'b'), torn);
        const seen = cell.read(new MarkReader());
        const whole = encodeMark(mark(99_999_999, 7, 'b'), 1).bytes.findLastIndex((byte) => byte !== 0) + 1;
        expect(seen).toEqual(torn >= whole ? mark(99_999_999, 7, 'b') : mark(marks * 1000));
      }),
    );
  });

  it('takes a head that tells no parent, and none at all', () => {
    const [cell, reader] = [new Cell(), new MarkReader()];
    const bare: TrustedMark = { epoch: 3, head: null, finalized: null, blockTimeMs: 0 };
    cell.write(bare);
    expect(cell.read(reader)).toEqual(bare);
  });
});

describe('a replica', () => {
  const open = () => {
    const [cell, reader] = [new Cell(), new MarkReader()];
    return { cell, view: new ReplicaView(16, () => cell.read(reader)) };
  };
  const branch = (from: number, to: number, epoch = 0, fork = 'a') => ({ epoch, from, hashes: Array.from({ length: to - from + 1 }, (_, i) => hash(from + i, fork)) });

  it('knows nothing before it is told, and then what the cell and the branch tell', () => {
    const { cell, view } = open();
    view.refresh();
    expect([view.head, view.finalized, view.hashAt(0)]).toEqual([null, null, '']);
    cell.write(mark(100));
    expect(view.head).toBeNull();
    view.refresh();
    expect([view.head?.number, view.finalized?.number, view.blockTimeMs]).toEqual([100, 36, 12_000]);
    expect([view.hashAt(101), view.hashAt(100), view.hashAt(99), view.hashAt(98), view.hashAt(36)]).toEqual(['', hash(100), hash(99), '', hash(36)]);
    view.learn(branch(85, 100));
    expect([view.hashAt(85), view.hashAt(98), view.hashAt(84)]).toEqual([hash(85), hash(98), '']);
  });

  it('forgets the branch of before a reorg as soon as the cell tells of it, though no message has come', () => {
    const { cell, view } = open();
    cell.write(mark(100));
    view.learn(branch(85, 100));
    cell.write(mark(101, 1, 'b'));
    view.refresh();
    expect([view.epoch, view.behind, view.head?.hash]).toEqual([1, true, hash(101, 'b')]);
    expect([view.hashAt(100), view.hashAt(99), view.hashAt(37)]).toEqual([hash(100, 'b'), '', hash(37)]);
    view.learn(branch(99, 100));
    expect(view.hashAt(99)).toBe('');
    view.learn(branch(90, 101, 1, 'b'));
    expect([view.behind, view.hashAt(99), view.hashAt(89)]).toEqual([false, hash(99, 'b'), '']);
  });

  it('is as new as the cell when a branch comes before it was looked at', () => {
    const { cell, view } = open();
    cell.write(mark(100, 2));
    view.learn(branch(90, 100, 2));
    expect([view.epoch, view.behind, view.head?.number, view.hashAt(90)]).toEqual([2, false, 100, hash(90)]);
  });
});
