import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_HASHED_BYTES, hashBytes, hashString } from '../../../src/base/hash.ts';

const raw = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));

describe.each([['hashBytes', hashBytes], ['hashString', hashString]])('%s', (_, hash) => {
  it('is a number of 32 bits that depends on nothing but text and seed', () => {
    fc.assert(fc.property(raw(300), raw(300), fc.integer(), (text, other, seed) => {
      const first = hash(text, seed);
      hash(other, seed);
      expect(hash(`-${text}`.slice(1), seed)).toBe(first);
      expect(first).toBe(first >>> 0);
    }));
  });

  it('changes with each char, with the length and with the seed', () => {
    fc.assert(fc.property(raw(70), fc.nat(), fc.integer({ min: 1, max: 255 }), (text, at, by) => {
      const place = at % text.length;
      const changed = text.slice(0, place) + String.fromCharCode(text.charCodeAt(place) ^ by) + text.slice(place + 1);
      expect(hash(changed)).not.toBe(hash(text));
      expect(hash(`${text}\0`)).not.toBe(hash(text));
      expect(hash(text, 1)).not.toBe(hash(text, 2));
    }));
  });

  it.each([['at the end', (i: number) => `["0x${'ab'.repeat(20)}","0x${i.toString(16)}"]`], ['in the middle', (i: number) => `["0x${i.toString(16).padStart(40, '0')}","latest"]`], ['short', (i: number) => `[${i}]`]])(
    'spreads texts that differ %s evenly, by high bits and by low ones',
    (_where, text) => {
      const texts = 16_000;
      for (const bits of [(h: number) => h & 15, (h: number) => h >>> 28]) {
        const counts = new Array<number>(16).fill(0);
        for (let i = 0; i < texts; i++) {
          const bucket = bits(hash(text(i)));
          counts[bucket] = (counts[bucket] as number) + 1;
        }
        // chi-square with 15 degrees of freedom: above 44 once in 10,000 for a fair spread
        const chi = counts.reduce((sum, count) => sum + (count - texts / 16) ** 2 / (texts / 16), 0);
        expect(chi).toBeLessThan(44);
      }
    },
  );
});

describe('hashBytes', () => {
  it('takes texts up to its limit', () => {
    const text = 'x'.repeat(MAX_HASHED_BYTES);
    expect(hashBytes(text)).not.toBe(hashBytes(`${text.slice(1)}y`));
  });
});
