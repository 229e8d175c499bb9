import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanBody } from '../../../src/rpc/scan.ts';
import { splitReply } from '../../../src/rpc/reply.ts';

const LIMITS = { maxDepth: 1000, maxBatchItems: 10_000, maxMethodBytes: 128 };

/** True when a text is JSON by the request side, as the params of a call. */
function accepted(body: Buffer): boolean {
  const scanned = scanBody(body, LIMITS);
  return scanned.kind !== 'fault' || scanned.fault.spec.code !== -32700;
}

function parses(body: Buffer): boolean {
  if (!isUtf8(body)) return false;
  try {
    JSON.parse(body.toString('latin1'));
    return true;
  } catch {
    return false;
  }
}

/** A copy that begins `lead` bytes into its memory, as bodies cut out of larger buffers do. */
function shifted(text: string, lead: number): Buffer {
  const memory = Buffer.alloc(Buffer.byteLength(text) + lead + 7, 0x22);
  const length = memory.write(text, lead);
  return memory.subarray(lead, lead + length);
}

const VALID = [
  '0', '-0', '1', '-1', '10', '0.5', '-0.0', '1e5', '1E+5', '1e-5', '1.25e010', '123456789012345678901234567890', '1e999',
  'true', 'false', 'null', '""', '"a"', '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\u0000\\uD83D\\uDE00"', '"\\ud800"', '"\u007f"', '"é😀"',
  '[]', '[ ]', '[1]', '[1,2]', '[[],[[]],{}]', '{}', '{ }', '{"a":1}', '{"a":{"b":[{"c":null}]},"":[]}', '{"a":1,"a":2}',
  ' \t\r\n[ 1 ,\n2 ]\t ', '{ "a" : [ ] , "b" : { } }', '"\u2028\u2029"', '[1,"x",null,true,{"k":-1.5e+3}]',
];

const INVALID = [
  '', ' ', '01', '-', '-01', '+1', '.5', '1.', '1.e5', '1e', '1e+', '0x1', '1_000', 'NaN', 'Infinity', '-Infinity', '--1', '1-', '1 2',
  'nul', 'nulll', 'True', 'tru', 'falsE', 'undefined', '"', '"a', '\'a\'', '"\\x41"', '"\\u12"', '"\\u12g4"', '"\\ug234"', '"\\u123g"', '"\\u123"', '"\\', '"\\u"', '"\n"', '"\t"', '"\u0000"', '"\u001f"',
  '[', ']', '[1', '[1,', '[1,]', '[,1]', '[,]', '[1,,2]', '[1 2]', '[1}', '[1]]', '{', '}', '{]', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '{,}',
  '{"a" 1}', '{"a"::1}', '{a:1}', '{1:1}', '{null:1}', '{"a":1 "b":2}', '{"a"}', '{"a":1]', '["a":1]', '[1],', '{}{}', '[]x', '1x',
  '/*c*/1', '[1]//c', '\ufeff[]', '[]\u00a0', '\u000b1', '1\u000c', '[1\u0000]', '[]\u0000', '"a"\u0000', '{"a":tru}', '{"a":1.}', '[-]', '[1e5.5]',
];

describe('the grammar', () => {
  it.each(VALID)('takes %j', (text) => {
    expect(parses(Buffer.from(text))).toBe(true);
    expect(accepted(Buffer.from(text))).toBe(true);
    expect(splitReply(Buffer.from(`{"id":1,"result":${text}}`)).kind).toBe('result');
  });

  it.each(INVALID)('refuses %j', (text) => {
    expect(parses(Buffer.from(text))).toBe(false);
    expect(accepted(Buffer.from(text))).toBe(false);
    expect(splitReply(Buffer.from(`{"id":1,"result":${text}}`)).kind).toBe('bad');
  });

  it.each([
    ['a lone continuation byte', [0x22, 0x80, 0x22]], ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]], ['a cut sequence', [0x22, 0xe2, 0x82, 0x22]], ['0xff', [0xff]],
  ])('refuses %s', (_, bytes) => {
    expect(accepted(Buffer.from(bytes))).toBe(false);
  });

  it('names the place', () => {
    const message = (text: string) => {
      const scanned = scanBody(Buffer.from(text), LIMITS);
      return scanned.kind === 'fault' ? scanned.fault.message : '';
    };
    expect(message('[1,]')).toBe('parse error: unexpected 0x5d at byte 3');
    expect(message('{"a":')).toBe('parse error: unexpected end');
  });
});

const FRAGMENTS = [
  '[', ']', '{', '}', ',', ':', '"a":', '"id"', '"', '\\', '\\u0041', '\\"', '\\x', '1', '0', '-', '.', 'e', '+', 'true', 'null', 'false', ' ', '\n', '\u0000', '\u001f', 'é', '[]', '{}', '{"b":1}',
];

describe('against JSON.parse', () => {
  it('agrees on soups of fragments', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 12, size: 'max' }), (parts) => {
      const body = Buffer.from(parts.join(''));
      expect(accepted(body)).toBe(parses(body));
    }), { numRuns: 3000 });
  });

  it('agrees on generated values, printed tight or wide', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 3 }), (value, indent) => {
      expect(accepted(Buffer.from(JSON.stringify(value, null, indent)))).toBe(true);
    }), { numRuns: 500 });
  });

  it('agrees on large texts, whatever their place in memory', () => {
    const long = 'x'.repeat(2500);
    const soup = fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 5 });
    fc.assert(fc.property(soup, soup, fc.integer({ min: 0, max: 3 }), fc.constantFrom('', '\n', ' \r\n\t'), (inside, after, lead, tail) => {
      const body = shifted(`["${long}${inside.join('')}",${after.join('') || '1'}]${tail}`, lead);
      expect(accepted(body)).toBe(parses(body));
    }), { numRuns: 1500 });
  });

  it('sees one odd byte anywhere in a large text', () => {
    const text = `["${'x'.repeat(2100)}"]`;
    for (let lead = 0; lead < 4; lead++) {
      for (let at = 0; at < text.length; at++) {
        if (at > 32 && at < text.length - 32 && at % 37 !== 0) continue;
        for (const byte of [0x01, 0x1f, 0x5c, 0x22, 0x80]) {
          const body = shifted(text, lead);
          body[at] = byte;
          expect(accepted(body), `byte ${byte} at ${at}, lead ${lead}`).toBe(parses(body));
        }
      }
    }
  });
});

describe('depth', () => {
  const nested = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth));

  it.each([1, 2, 31, 32, 33, 64, 65, 96, 97, 200])('takes %i levels, and refuses one more', (maxDepth) => {
    const limits = { ...LIMITS, maxDepth };
    const kindOf = (body: Buffer) => {
      const scanned = scanBody(body, limits);
      return scanned.kind === 'fault' ? scanned.fault.spec.kind : scanned.kind;
    };
    expect(kindOf(nested(maxDepth))).toBe(maxDepth === 1 ? 'emptyBatch' : 'batch');
    expect(kindOf(nested(maxDepth + 1))).toBe('depth');
    expect(kindOf(Buffer.from(`${'{"a":'.repeat(maxDepth - 1)}{}${'}'.repeat(maxDepth - 1)}`))).toBe('invalidRequest');
    expect(kindOf(Buffer.from(`${'{"a":'.repeat(maxDepth)}{}${'}'.repeat(maxDepth)}`))).toBe('depth');
  });

  it('remembers what each of many levels was', () => {
    fc.assert(fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 150, size: 'max' }), fc.nat(), (kinds, flip) => {
      const open = kinds.map((isObject) => (isObject ? '{"k":' : '[')).join('');
      const close = kinds.map((isObject) => (isObject ? '}' : ']')).reverse();
      expect(accepted(Buffer.from(`${open}1${close.join('')}`))).toBe(true);
      const at = flip % close.length;
      close[at] = close[at] === '}' ? ']' : '}';
      expect(accepted(Buffer.from(`${open}1${close.join('')}`))).toBe(false);
    }));
  });

  it('does not mind five million brackets', () => {
    const scanned = scanBody(Buffer.alloc(5 << 20, '['), LIMITS);
    expect(scanned.kind === 'fault' && scanned.fault.spec.kind).toBe('depth');
    expect(splitReply(Buffer.concat([Buffer.from('{"result":'), Buffer.alloc(5 << 20, '[')])).kind).toBe('bad');
    expect(splitReply(Buffer.alloc(5 << 20, '{"a":')).kind).toBe('bad');
  });
});
