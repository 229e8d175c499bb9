import { describe, expect, it } from 'vitest';
import { isEven } from '../../../src/rpc/string.ts';

const SIZE = 2100;

describe('isEven', () => {
  it('finds every byte that a string cannot hold as it is, wherever it stands', () => {
    const memory = Buffer.alloc(SIZE + 8, '0x"a');
    for (let c = 0; c < 256; c++) {
      const isOdd = c < 0x20 || c === 0x5c;
      for (let at = 0; at < 40; at++) {
        const from = at & 7;
        const text = memory.subarray(from, from + SIZE);
        for (const place of [at, SIZE - 2 - at]) {
          const before = text[place] as number;
          text[place] = c;
          // its neighbours must not hide it
          text[place + 1] = (c * 7) & 1 ? 0xff : 0x22;
          expect([c, place, isEven(text)]).toEqual([c, place, !isOdd]);
          text[place] = before;
          text[place + 1] = 0x22;
        }
      }
    }
  });

  it('lets white space at the end be, and small texts count as uneven', () => {
    expect(isEven(Buffer.from(`${'x'.repeat(SIZE)} \r\n\t`))).toBe(true);
    expect(isEven(Buffer.from(`${'x'.repeat(SIZE)}\n "`))).toBe(false);
    expect(isEven(Buffer.alloc(2047, 'x'))).toBe(false);
    expect(isEven(Buffer.alloc(SIZE, 0xff))).toBe(true);
    expect(isEven(Buffer.alloc(SIZE, ' '))).toBe(true);
  });
});
