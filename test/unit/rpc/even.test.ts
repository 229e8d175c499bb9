import { describe, expect, it } from 'vitest';
import { isEven } from '../../../src/rpc/even.ts';
import { isEvenByVectors } from '../../../src/rpc/evenVectors.ts';
import { isEvenByWords } from '../../../src/rpc/evenWords.ts';

const SIZE = 2100;
const PAGE = 65_536;

/** Every way that the machine has to tell. */
const WAYS = [['words', isEvenByWords] as const, ...(isEvenByVectors === null ? [] : [['vectors', isEvenByVectors] as const])];

it('has vectors where Node has them', () => expect(isEvenByVectors).not.toBeNull());

describe.each(WAYS)('a text without backslashes and control characters, by %s', (_, isEvenUpTo) => {
  it('is told from one with any, wherever it stands', () => {
    const memory = Buffer.alloc(SIZE + 8, '0x"a');
    for (let c = 0; c < 256; c++) {
      const isOdd = c < 0x20 || c === 0x5c;
      for (let at = 0; at < 70; at++) {
        const from = at & 7;
        const text = memory.subarray(from, from + SIZE - at);
        for (const place of [at, text.length - 2 - at, text.length - 1]) {
          const [before, next] = [text[place] as number, text[place + 1]];
          text[place] = c;
          // its neighbours must not hide it
          if (next !== undefined) text[place + 1] = (c & 1) === 0 ? 0xff : 0x22;
          if (isEvenUpTo(text, text.length) === isOdd) throw new Error(`${c} at ${place} of ${text.length}`);
          text[place] = before;
          if (next !== undefined) text[place + 1] = next;
        }
      }
    }
  });

  it.each([PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 77])('is told over %i bytes, and what is behind its end does not count', (size) => {
    const text = Buffer.alloc(size + 1, 'x');
    text[size] = 0;
    expect(isEvenUpTo(text, size)).toBe(true);
    for (const place of [0, PAGE - 2, PAGE - 1, PAGE, size - 1].filter((each) => each < size)) {
      text[place] = 0x1f;
      expect([place, isEvenUpTo(text, size)]).toEqual([place, false]);
      text[place] = 0x20;
      expect([place, isEvenUpTo(text, size)]).toEqual([place, true]);
    }
    expect(isEvenUpTo(text, 0)).toBe(true);
  });
});

describe('isEven', () => {
  it('lets white space at the end be, and small texts count as uneven', () => {
    expect(isEven(Buffer.from(`${'x'.repeat(SIZE)} \r\n\t`))).toBe(true);
    expect(isEven(Buffer.from(`${'x'.repeat(SIZE)}\n "`))).toBe(false);
    expect(isEven(Buffer.from(`${'x'.repeat(SIZE)}\\`))).toBe(false);
    expect(isEven(Buffer.alloc(2047, 'x'))).toBe(false);
    expect(isEven(Buffer.alloc(SIZE, 0xff))).toBe(true);
    expect(isEven(Buffer.alloc(SIZE, '\n'))).toBe(true);
  });
});
