import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integerId, splitReply } from '../../../src/rpc/reply.ts';
import { ReplyScan } from '../../../src/rpc/replyScan.ts';

/** Reads a text in pieces that end at these places. */
function scan(text: Buffer, cuts: readonly number[]): ReplyScan {
  const reader = new ReplyScan();
  const places = [...new Set([...cuts.map((cut) => cut % (text.length + 1)), text.length])].sort((a, b) => a - b);
  let from = 0;
  for (const to of places) {
    if (to > from) reader.push(text.subarray(from, to));
    from = to;
  }
  return reader;
}

/** What `splitReply` and the scan must agree on. */
function ofScan(reader: ReplyScan): unknown {
  if (!reader.complete) return 'bad';
  if (reader.isError) return 'error';
  return reader.resultEnd < 0 ? 'bad' : { start: reader.resultStart, end: reader.resultEnd, id: integerId(reader.idRaw) };
}

function ofSplit(text: Buffer): unknown {
  const split = splitReply(text);
  if (split.kind !== 'result') return split.kind;
  return { start: split.start, end: split.end, id: split.id };
}

const every = (text: Buffer): number[] => Array.from({ length: text.length }, (_, at) => at);

describe('ReplyScan', () => {
  const texts = [
    '{"jsonrpc":"2.0","id":7,"result":"0x1"}',
    ' {"result" : [1, -2.5e+10, true,false,null, {"a":{}} ,[]] , "id" : "se\\u0076en" }\n',
    '{"id":1,"\\u0072esult":{"s":"\\\\\\"\\/\\b\\f\\n\\r\\t\\u00e9é"},"jsonrpc":"2.0"}',
    '{"id":1,"error":null,"result":[]}',
    '{"id":1,"error":{"code":-32000,"message":"x"},"result":1}',
    '{"id":1,"result":1,"error":"x"}',
    '{"id":{"a":1},"result":1}',
    '{"id":1,"result":1,"id":2}',
    '{"result":null,"id":12345678901234567890}',
    '{}', '[]', '"x"', '1', '{"id":1}', '{"result":01}', '{"result":tru}', '{"result":1.}', '{"result":-}', '{"result":[1,]}', '{"result":{,}}',
    '{"result":"a\nb"}', '{"result":"\\x"}', '{"result":"\\u12g4"}', '{"result":1}}', '{"result":1} x', '{"result":{"a" 1}}', '{"result":[1 2]}', '{"result":[}',
    '{"result":1', '{"result":"abc', '{"result":[[', '{"result":nul', '{"a":1,}', '{"result":1"id":2}',
  ];

  it.each(texts)('agrees with splitReply however %s is cut', (source) => {
    const text = Buffer.from(source);
    const want = ofSplit(text);
    for (let cut = 0; cut <= text.length; cut++) expect(ofScan(scan(text, [cut])), `cut at ${cut}`).toEqual(want);
    expect(ofScan(scan(text, every(text)))).toEqual(want);
  });

  it('agrees with splitReply on any answer, damaged or not', () => {
    const answer = fc.record({ id: fc.oneof(fc.nat(), fc.string(), fc.constant(null)), result: fc.jsonValue({ maxDepth: 4 }) }).map((value) => JSON.stringify(value));
    const damage = fc.option(fc.tuple(fc.nat(), fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '\n', '1', 'e', '')), { nil: null, freq: 2 });
    const long = fc.boolean();
    fc.assert(fc.property(answer, damage, fc.array(fc.nat(), { maxLength: 8 }), long, (source, hurt, cuts, isLong) => {
      const padded = isLong ? source.replace('{', `{"pad":"${'p'.repeat(5000)}",`) : source;
      const at = hurt === null ? 0 : hurt[0] % padded.length;
      const text = Buffer.from(hurt === null ? padded : padded.slice(0, at) + hurt[1] + padded.slice(at + 1));
      expect(ofScan(scan(text, cuts))).toEqual(ofSplit(text));
    }), { numRuns: 3000 });
  });

  it('sees a line break in a string although a piece ends with it', () => {
    const head = `{"id":1,"result":"${'a'.repeat(4000)}\n`;
    const text = Buffer.from(`${head}${'b'.repeat(4000)}"}`);
    expect(scan(text, [head.length]).failed).toBe(true);
  });

  it('tells when it is within the result, and how much it has read', () => {
    const text = Buffer.from('{"id":1,"result":[1,2,3],"x":1}');
    const within = every(text).map((cut) => scan(text.subarray(0, cut), []).inResult);
    expect(within.indexOf(true)).toBe(text.indexOf('[') + 1);
    expect(within.lastIndexOf(true)).toBe(text.indexOf(']'));
    expect(scan(text, [3, 9]).sizeBytes).toBe(text.length);
  });
});
