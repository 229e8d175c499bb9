import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadScan } from '../../../src/edge/head.ts';
import { judge } from '../../../src/edge/judge.ts';

const RULES = { maxHeaderBytes: 1000, maxBodyBytes: 100, refuseChunked: false };

function judged(lines: readonly (readonly [string, string])[], method = 'POST', path = '/'): string | null {
  const scan = new HeadScan();
  // What an earlier request left behind must not count.
  scan.add('host', 'earlier');
  scan.add('transfer-encoding', 'gzip');
  scan.reset(method, path, '');
  for (const [name, value] of lines) scan.add(name, value);
  return judge(scan, RULES)?.kind ?? null;
}

const HOST = ['host', 'edge'] as const;

describe('judge', () => {
  it('passes the plain request and nothing left over from the one before', () => {
    expect(judged([HOST, ['content-length', '2']])).toBeNull();
  });

  it('passes at most one way to frame a body, whatever the lines and their order', () => {
    const line = fc.constantFrom(
      ['content-length', '2'], ['content-length', '3'], ['content-length', ''], ['content-length', '2,2'],
      ['transfer-encoding', 'chunked'], ['transfer-encoding', 'Chunked'], ['transfer-encoding', 'gzip'], ['transfer-encoding', ''],
      ['x-other', 'chunked'], ['host', 'other'],
    ) as fc.Arbitrary<[string, string]>;
    fc.assert(fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
      const framing = lines.filter(([name]) => name === 'content-length' || name === 'transfer-encoding');
      const [first] = framing;
      const well = framing.length === 1 && first !== undefined && /^(2|3|chunked)$/i.test(first[1]);
      const oneHost = !lines.some(([name]) => name === 'host');
      expect(judged([HOST, ...lines]) === null).toBe(well && oneHost);
    }));
  });

  it('judges framing before method and size, so that a broken frame is never taken for less', () => {
    expect(judged([HOST, ['content-length', '999'], ['content-length', '2']], 'GET')).toBe('badFraming');
    expect(judged([HOST], 'GET')).toBe('httpMethod');
    expect(judged([HOST, ['content-length', '101']])).toBe('bodyTooLarge');
    expect(judged([HOST, ['content-length', '100']])).toBeNull();
  });

  it('counts names, values and four bytes a line, and the target', () => {
    const lines = [HOST, ['content-length', '2']] as const;
    const used = 4 + 4 + 4 + 14 + 1 + 4 + 1;
    const fill = (size: number): [string, string] => ['x', 'a'.repeat(size - used - 5)];
    expect(judged([...lines, fill(1000)])).toBeNull();
    expect(judged([...lines, fill(1001)])).toBe('headerTooLarge');
    expect(judged([...lines, fill(1000)], 'POST', '/a')).toBe('headerTooLarge');
  });
});
