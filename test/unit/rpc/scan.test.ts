import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanBody } from '../../../src/rpc/scan.ts';
import type { ScannedBody, ScannedCall } from '../../../src/rpc/scan.ts';

/** Any UTF-16, lone surrogates and controls included. */
const anyText = fc.array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff)), { maxLength: 40, size: 'max' }).map((units) => String.fromCharCode(...units));

const LIMITS = { maxDepth: 64, maxBatchItems: 100, maxMethodBytes: 128 };

const scan = (text: string): ScannedBody => scanBody(Buffer.from(text), LIMITS);

/** One line that says what a body was taken for; raw strings shown as the UTF-8 they are. */
function told(text: string): string {
  const scanned = scan(text);
  if (scanned.kind === 'fault') return `${scanned.fault.spec.code} id ${utf8(scanned.idRaw)}`;
  return scanned.kind === 'single' ? tellCall(scanned.call) : `[${scanned.calls.map(tellCall).join('; ')}]`;
}

function tellCall(call: ScannedCall): string {
  if (call.fault !== null) return `${call.fault.spec.code} id ${utf8(call.idRaw ?? 'none')}`;
  return `${call.method}(${utf8(call.paramsRaw)}) ${call.idRaw === null ? 'notification' : `id ${utf8(call.idRaw)}`}`;
}

const utf8 = (raw: string): string => Buffer.from(raw, 'latin1').toString('utf8');

describe('the examples of JSON-RPC 2.0, section 7', () => {
  it.each([
    ['{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}', 'subtract([42, 23]) id 1'],
    ['{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}', 'subtract([23, 42]) id 2'],
    ['{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}', 'subtract({"subtrahend": 23, "minuend": 42}) id 3'],
    ['{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}', 'subtract({"minuend": 42, "subtrahend": 23}) id 4'],
    ['{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', 'update([1,2,3,4,5]) notification'],
    ['{"jsonrpc": "2.0", "method": "foobar"}', 'foobar() notification'],
    ['{"jsonrpc": "2.0", "method": "foobar", "id": "1"}', 'foobar() id "1"'],
    ['{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', '-32700 id null'],
    ['{"jsonrpc": "2.0", "method": 1, "params": "bar"}', '-32600 id null'],
    ['[\n {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},\n {"jsonrpc": "2.0", "method"\n]', '-32700 id null'],
    ['[]', '-32600 id null'],
    ['[1]', '[-32600 id null]'],
    ['[1,2,3]', '[-32600 id null; -32600 id null; -32600 id null]'],
    [`[
        {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
        {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ]`, '[sum([1,2,4]) id "1"; notify_hello([7]) notification; subtract([42,23]) id "2"; -32600 id null; foo.get({"name": "myself"}) id "5"; get_data() id "9"]'],
    ['[{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},{"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}]', '[notify_sum([1,2,4]) notification; notify_hello([7]) notification]'],
  ])('%s', (text, expected) => {
    expect(told(text)).toBe(expected);
  });
});

describe('the id', () => {
  it.each([
    '1', '0', '-1', '-0', '1.5', '1e3', '1E+400', '9007199254740993', '18446744073709551616', 'null', '""', '"a"', '"a\\"b\\u00e9\\\\"', '"é😀"', '"1"', '0.10',
  ])('%s comes back byte for byte', (id) => {
    expect(told(`{"jsonrpc":"2.0","id":${id},"method":"m"}`)).toBe(`m() id ${id}`);
    expect(told(`[{"method":"m","jsonrpc":"2.0","id" : ${id} }]`)).toBe(`[m() id ${id}]`);
  });

  it.each(['{}', '[1]', 'true', 'false'])('%s is no id', (id) => {
    expect(told(`{"jsonrpc":"2.0","id":${id},"method":"m"}`)).toBe('-32600 id null');
  });

  it('is kept in the refusal of an invalid request, wherever it stands', () => {
    expect(told('{"jsonrpc":"2.0","method":5,"id":"x"}')).toBe('-32600 id "x"');
    expect(told('[{"id":7,"jsonrpc":"1.0","method":"m"}]')).toBe('[-32600 id 7]');
  });

  it('of any text is echoed', () => {
    fc.assert(fc.property(anyText, (text) => {
      const id = JSON.stringify(text);
      expect(told(`{"id":${id},"jsonrpc":"2.0","method":"m"}`)).toBe(`m() id ${id}`);
    }));
  });
});

describe('the envelope', () => {
  it.each([
    ['no version', '{"id":1,"method":"m"}', '-32600 id 1'],
    ['version 1.0', '{"jsonrpc":"1.0","id":1,"method":"m"}', '-32600 id 1'],
    ['version as a number', '{"jsonrpc":2.0,"id":1,"method":"m"}', '-32600 id 1'],
    ['version with a space', '{"jsonrpc":"2.0 ","id":1,"method":"m"}', '-32600 id 1'],
    ['version in escapes', '{"jsonrpc":"\\u0032\\u002e\\u0030","id":1,"method":"m"}', 'm() id 1'],
    ['no method', '{"jsonrpc":"2.0","id":1}', '-32600 id 1'],
    ['empty method', '{"jsonrpc":"2.0","id":1,"method":""}', '-32600 id 1'],
    ['null method', '{"jsonrpc":"2.0","id":1,"method":null}', '-32600 id 1'],
    ['method in escapes', '{"jsonrpc":"2.0","id":1,"method":"eth\\u005fcall"}', 'eth_call() id 1'],
    ['method beyond ASCII', '{"jsonrpc":"2.0","id":1,"method":"mé\\ud83d\\ude00"}', 'mé😀() id 1'],
    ['params null', '{"jsonrpc":"2.0","id":1,"method":"m","params":null}', 'm() id 1'],
    ['params string', '{"jsonrpc":"2.0","id":1,"method":"m","params":"x"}', '-32600 id 1'],
    ['params number', '{"jsonrpc":"2.0","id":1,"method":"m","params":0}', '-32600 id 1'],
    ['params true', '{"jsonrpc":"2.0","id":1,"method":"m","params":true}', '-32600 id 1'],
    ['params as bytes', '{"jsonrpc":"2.0","id":1,"method":"m","params":[ "é", {"b":2,"a":1e400} ]}', 'm([ "é", {"b":2,"a":1e400} ]) id 1'],
    ['other members', '{"x":[{}],"jsonrpc":"2.0","id":1,"result":3,"method":"m","toString":null,"":0}', 'm() id 1'],
    ['names in escapes', '{"jsonrp\\u0063":"2.0","\\u0069d":1,"m\\u0065thod":"m","params":[]}', 'm([]) id 1'],
    ['white space all around', ' \r\n{ "jsonrpc" : "2.0" ,\t"id" :\n1 , "method" : "m" , "params" : [ ] } \n', 'm([ ]) id 1'],
    ['empty object', '{}', '-32600 id null'],
    ['a string', '"eth_call"', '-32600 id null'],
    ['null', 'null', '-32600 id null'],
    ['a byte order mark', '\ufeff{"jsonrpc":"2.0","id":1,"method":"m"}', '-32700 id null'],
    ['trailing bytes', '{"jsonrpc":"2.0","id":1,"method":"m"}x', '-32700 id null'],
    ['a second text', '{"jsonrpc":"2.0","id":1,"method":"m"}{"jsonrpc":"2.0","id":2,"method":"n"}', '-32700 id null'],
    ['nothing', '', '-32700 id null'],
  ])('%s', (_, text, expected) => {
    expect(told(text)).toBe(expected);
  });

  it.each([
    ['"method":"a","method":"b"', '1'], ['"method":"a","Method":"b"', '1'], ['"METHOD":"b","method":"a"', '1'],
    ['"method":"a","m\\u0065thod":"b"', '1'], ['"method":"a","\\u004dethod":"b"', '1'], ['"Method":"a"', '1'],
    ['"method":"a","params":[],"params":[]', '1'], ['"method":"a","Params":[]', '1'], ['"method":"a","param\u017f":[]', '1'],
    ['"method":"a","param\\u017f":[]', '1'], ['"method":"a","J\u017fONRPC":"2.0"', '1'], ['"method":"a","jsonrpc":"2.0"', '1'],
    ['"method":"a","\\u006a\\u0073\\u006f\\u006e\\u0072\\u0070\\u0063":"2.0"', '1'],
    ['"method":"a","id":2', 'null'], ['"method":"a","ID":2', 'null'], ['"method":"a","\\u0131d":2', 'null'],
    ['"method":"a","\\u0069\\u0064":1', 'null'],
  ])('a name twice or in another case is refused: %s', (members, id) => {
    expect(told(`{"jsonrpc":"2.0","id":1,${members}}`)).toBe(`-32600 id ${id}`);
    expect(told(`[{${members},"jsonrpc":"2.0","id":1}]`)).toBe(`[-32600 id ${id}]`);
  });

  it('members of params may be called anything', () => {
    const params = '[{"method":1,"Method":2,"id":3,"id":4}]';
    expect(told(`{"jsonrpc":"2.0","id":1,"method":"m","params":${params}}`)).toBe(`m(${params}) id 1`);
  });

  it('says what is wrong', () => {
    const message = (text: string) => {
      const scanned = scan(text);
      return scanned.kind === 'fault' ? scanned.fault.message : '';
    };
    expect(message('{"id":1,"method":"m"}')).toBe('invalid request: "jsonrpc" must be "2.0"');
    expect(message('{"jsonrpc":"2.0","id":1,"method":"m","Params":[]}')).toBe('invalid request: "params" must be in lower case');
    expect(message('{"jsonrpc":"2.0","id":1,"method":"m","method":"n"}')).toBe('invalid request: "method" occurs twice');
  });
});

describe('a batch', () => {
  it('keeps the order of good and bad entries', () => {
    const call = (id: number) => `{"jsonrpc":"2.0","id":${id},"method":"m${id}"}`;
    expect(told(`[${call(1)},[${call(2)}],[],null,"x",{},${call(3)} , {"method":"n","jsonrpc":"2.0"}]`))
      .toBe('[m1() id 1; -32600 id null; -32600 id null; -32600 id null; -32600 id null; -32600 id null; m3() id 3; n() notification]');
  });

  it('forgets nothing from one entry into the next', () => {
    expect(told('[{"jsonrpc":"2.0","id":1,"method":"m","params":[1]},{"jsonrpc":"2.0","method":"n"},{"id":2,"id":3},{"jsonrpc":"2.0","id":4,"method":"o"}]'))
      .toBe('[m([1]) id 1; n() notification; -32600 id null; o() id 4]');
  });

  it.each(['[1,]', '[,1]', '[{}', '[{}}', '[{} {}]', '[]x', '[1]x', '[{"a":}]'])('%s is a parse error as a whole', (text) => {
    expect(told(text)).toBe('-32700 id null');
  });

  it('has a limit', () => {
    const entry = '{"jsonrpc":"2.0","id":1,"method":"m"}';
    const limits = { ...LIMITS, maxBatchItems: 3 };
    const batch = (count: number) => scanBody(Buffer.from(`[${Array.from({ length: count }, () => entry).join(',')}]`), limits);
    expect(batch(3).kind).toBe('batch');
    const refused = batch(4);
    expect(refused.kind === 'fault' && refused.fault.message).toBe('batch too long: over 3 entries');
  });
});

describe('limits', () => {
  const withMethod = (method: string) => scanBody(Buffer.from(`{"jsonrpc":"2.0","id":5,"method":"${method}"}`), { ...LIMITS, maxMethodBytes: 10 });

  it('the method has a length in bytes', () => {
    expect(withMethod('m'.repeat(10)).kind).toBe('single');
    const refused = withMethod('m'.repeat(11));
    expect(refused.kind === 'fault' && [refused.fault.spec.kind, refused.idRaw]).toEqual(['methodTooLong', '5']);
    expect(withMethod('é'.repeat(6)).kind).toBe('fault');
  });

  it('depth counts the batch and the request', () => {
    const params = '{"jsonrpc":"2.0","id":1,"method":"m","params":[]}';
    const kindOf = (text: string, maxDepth: number) => {
      const scanned = scanBody(Buffer.from(text), { ...LIMITS, maxDepth });
      return scanned.kind === 'fault' ? scanned.fault.spec.kind : scanned.kind;
    };
    expect([kindOf(params, 0), kindOf(params, 1), kindOf(params, 2)]).toEqual(['depth', 'depth', 'single']);
    expect([kindOf(`[${params}]`, 0), kindOf(`[${params}]`, 1), kindOf(`[${params}]`, 2), kindOf(`[${params}]`, 3)]).toEqual(['depth', 'depth', 'depth', 'batch']);
  });

  it('large envelopes are read like small ones', () => {
    for (const size of [1900, 2100, 5000, 100_000]) {
      const params = `["${'a'.repeat(size)}"]`;
      expect(told(`{"jsonrpc":"2.0","params":${params},"method":"m\\u0065","id":"\\n"}\n`)).toBe(`me(${params}) id "\\n"`);
      expect(told(`[{"jsonrpc":"2.0","params":${params},"method":"me","id":[]}]`)).toBe('[-32600 id null]');
    }
  });
});

describe('any arrangement of an envelope', () => {
  const space = fc.constantFrom('', ' ', '\n\t ', '\r\n');
  const escaped = (name: string, at: number) =>
    at < name.length ? `${name.slice(0, at)}\\u00${name.charCodeAt(at).toString(16)}${name.slice(at + 1)}` : name;
  const extras = fc.dictionary(fc.string({ minLength: 9, maxLength: 12 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });

  it('gives the same call, and its bytes', () => {
    fc.assert(fc.property(
      fc.jsonValue(), fc.constantFrom('1', '"é"', '-2.50', 'null'), fc.string({ minLength: 1, maxLength: 12 }), extras, space, fc.nat(12), fc.infiniteStream(fc.nat(1000)),
      (value, id, method, others, gap, at, order) => {
        const paramsRaw = `[${gap}${JSON.stringify(value)}]`;
        const members: [string, string][] = [
          ['jsonrpc', '"2.0"'], ['id', id], ['method', JSON.stringify(method)], ['params', paramsRaw],
          ...Object.entries(others).map(([k, v]): [string, string] => [JSON.stringify(k).slice(1, -1), JSON.stringify(v)]),
        ];
        const ranked = members.map((member) => ({ member, rank: order.next().value as number })).sort((a, b) => a.rank - b.rank);
        const text = `{${gap}${ranked.map(({ member: [k, v] }) => `"${escaped(k, k.length < 9 ? at : 99)}"${gap}:${gap}${v}`).join(`${gap},${gap}`)}${gap}}`;
        const scanned = scanBody(Buffer.from(text), { ...LIMITS, maxDepth: 1000 });
        expect(scanned.kind === 'single' && { ...scanned.call, paramsRaw: utf8(scanned.call.paramsRaw), idRaw: utf8(scanned.call.idRaw ?? '') })
          .toEqual({ idRaw: id, method, paramsRaw, fault: null });
      },
    ), { numRuns: 400 });
  });
});
