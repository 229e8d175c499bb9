import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_ID, ODD_ID, integerId, isNullResult, splitBatchReply, splitReply } from '../../../src/rpc/reply.ts';
import type { SplitReply } from '../../../src/rpc/reply.ts';

const NAMES = new Map([[NO_ID, 'none'], [ODD_ID, 'odd']]);

/** One line that says what an answer was taken for. */
function told(text: string): string {
  return tell(splitReply(Buffer.from(text)), text);
}

function tell(reply: SplitReply, text: string): string {
  if (reply.kind === 'bad') return `bad: ${reply.why}`;
  const bytes = Buffer.from(text).subarray(reply.start, reply.end).toString();
  return `id ${NAMES.get(reply.id) ?? reply.id} ${reply.kind} ${bytes}`;
}

describe('an answer to one call', () => {
  it.each([
    ['{"jsonrpc":"2.0","id":1,"result":"0x1"}', 'id 1 result "0x1"'],
    ['{"jsonrpc":"2.0","id":1,"result":"0x1"}\n', 'id 1 result "0x1"'],
    ['{"result":{"a":[1, 2]},"id":"x","jsonrpc":"2.0"}', 'id odd result {"a":[1, 2]}'],
    [' {\n "id" : 1 ,\n "result" : null\n } \n', 'id 1 result null'],
    ['{"id":1,"result":90071992547409931234}', 'id 1 result 90071992547409931234'],
    ['{"id":1,"result":"é"}', 'id 1 result "é"'],
    ['{"result":1}', 'id none result 1'],
    ['{"id":null,"result":1}', 'id none result 1'],
    ['{"id":1,"result":1,"error":null}', 'id 1 result 1'],
    ['{"error":null,"result":null,"id":1}', 'id 1 result null'],
    ['{"id":1,"r\\u0065sult":1}', 'id 1 result 1'],
    ['{"id":1,"Result":2,"result":1,"usage":{"result":3}}', 'id 1 result 1'],
    ['{"id":1,"error":{"code":-32000,"message":"x"}}', 'id 1 error {"code":-32000,"message":"x"}'],
    ['{"id":1,"result":null,"error":{"code":1,"message":"x"}}', 'id 1 error {"code":1,"message":"x"}'],
    ['{"id":1,"result":"0x","error":{"code":1,"message":"x"}}', 'id 1 error {"code":1,"message":"x"}'],
    ['{"id":1,"error":"rate limited"}', 'id 1 error "rate limited"'],
    ['{"id":1}', 'bad: neither result nor error'],
    ['{"id":1,"error":null}', 'bad: neither result nor error'],
    ['{}', 'bad: neither result nor error'],
    ['{"id":1,"result":1,"result":2}', 'bad: a member occurs twice'],
    ['{"id":1,"id":2,"result":1}', 'bad: a member occurs twice'],
    ['', 'bad: empty'],
    [' \n', 'bad: empty'],
    ['<html><body>502</body></html>', 'bad: markup instead of JSON'],
    ['Bad Gateway', 'bad: parse error: unexpected 0x42 at byte 0'],
    ['"0x1"', 'bad: not an object'],
    ['null', 'bad: not an object'],
    ['[{"id":1,"result":1}]', 'bad: not an object'],
    ['{"id":1,"result":"0x', 'bad: cut short after 20 bytes'],
    ['{"id":1,"result":1}{"id":2,"result":1}', 'bad: parse error: unexpected 0x7b at byte 19'],
    ['{"id":1,"result":1}x', 'bad: parse error: unexpected 0x78 at byte 19'],
    ['{"id":1,"result":NaN}', 'bad: parse error: unexpected 0x4e at byte 17'],
  ])('%s', (text, expected) => {
    expect(told(text)).toBe(expected);
  });

  it('cut short at any byte is bad', () => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{"a":["x\\"\\u0041",-1.5e3,true,null,{}],"b":"é"}}';
    const body = Buffer.from(text);
    expect(splitReply(body).kind).toBe('result');
    for (let length = 0; length < body.length; length++) {
      expect(splitReply(body.subarray(0, length)).kind, `${length} bytes`).toBe('bad');
    }
  });

  it('is checked whole when it is large, tight or wide', () => {
    const entries = Array.from({ length: 200 }, (_, k) => ({ address: `0x${'ab'.repeat(20)}`, data: `0x${'00'.repeat(k)}`, index: k, removed: false }));
    for (const indent of [0, 2]) {
      const result = JSON.stringify(entries, null, indent);
      const body = Buffer.from(`{"jsonrpc":"2.0","id":12,"result":${result}}\n`);
      expect(tell(splitReply(body), body.toString())).toBe(`id 12 result ${result}`);
      for (let length = body.length - 2; length > 0; length -= 997) {
        expect(splitReply(body.subarray(0, length)).kind).toBe('bad');
      }
    }
  });

  it('finds the span of any value', () => {
    fc.assert(fc.property(fc.jsonValue(), fc.boolean(), fc.integer({ min: 0, max: 2 }), (value, first, indent) => {
      const result = JSON.stringify(value, null, indent);
      const text = first ? `{"result":${result},"id":3}` : `{"id":3,"result": ${result} }`;
      expect(told(text)).toBe(`id 3 result ${result}`);
    }));
  });

  it('takes a trace of 1024 nested calls', () => {
    const result = `${'{"calls":['.repeat(1024)}${']}'.repeat(1024)}`;
    expect(told(`{"id":1,"result":${result}}`)).toBe(`id 1 result ${result}`);
  });

  it('tells a null result', () => {
    const nothing = (text: string) => {
      const body = Buffer.from(text);
      const reply = splitReply(body);
      return reply.kind === 'result' && isNullResult(body, reply);
    };
    expect([nothing('{"id":1,"result": null }'), nothing('{"id":1,"result":"null"}'), nothing('{"id":1,"result":[]}')]).toEqual([true, false, false]);
  });
});

describe('an error', () => {
  const parts = (error: string) => {
    const reply = splitReply(Buffer.from(`{"id":1,"error":${error}}`));
    return reply.kind === 'error' ? [reply.wellFormed, reply.code, reply.message, reply.dataRaw] : reply;
  };

  it.each([
    ['{"code":3,"message":"execution reverted: é","data":"0x08c379a0"}', [true, 3, 'execution reverted: é', '"0x08c379a0"']],
    ['{"data":{"a":[1]},"message":"a\\n\\u0041","code":-32000}', [true, -32000, 'a\nA', '{"a":[1]}']],
    ['{"code":-32000.0,"message":""}', [true, -32000, '', null]],
    ['{"code":1.5,"message":"x"}', [false, 0, 'x', null]],
    ['{"code":"-32000","message":"x"}', [false, 0, 'x', null]],
    ['{"code":null,"message":"x"}', [false, 0, 'x', null]],
    ['{"code":1e400,"message":"x"}', [false, 0, 'x', null]],
    ['{"message":"x"}', [false, 0, 'x', null]],
    ['{"code":1}', [false, 1, '', null]],
    ['{"code":1,"message":{"a":1}}', [false, 1, '', null]],
    ['{"code":1,"message":"x","code":2}', [false, 1, 'x', null]],
    ['{}', [false, 0, '', null]],
    ['"too many requests"', [false, 0, 'too many requests', null]],
    ['[1]', [false, 0, '', null]],
    ['true', [false, 0, '', null]],
  ])('%s', (error, expected) => {
    expect(parts(error)).toEqual(expected);
  });

  it('with broken UTF-8 in its message is still read', () => {
    const body = Buffer.from('{"id":1,"error":{"code":3,"message":"a\xff\\n"}}', 'latin1');
    const reply = splitReply(body);
    expect(reply.kind === 'error' && reply.message).toBe('a\ufffd\n');
  });
});

describe('an answer to a batch', () => {
  const tellAll = (text: string) => {
    const replies = splitBatchReply(Buffer.from(text));
    return Array.isArray(replies) ? replies.map((reply: SplitReply) => tell(reply, text)) : tell(replies as SplitReply, text);
  };

  it.each([
    ['[{"id":2,"result":"b"}, {"id":1,"error":{"code":1,"message":"x"}} ]\n', ['id 2 result "b"', 'id 1 error {"code":1,"message":"x"}']],
    ['[]', []],
    ['[1,{"id":1},[]]', ['bad: an entry is not an object', 'bad: neither result nor error', 'bad: an entry is not an object']],
    ['[{"id":1,"result":1},{"result":2}]', ['id 1 result 1', 'id none result 2']],
    ['{"id":null,"error":{"code":-32600,"message":"batch too large"}}', 'id none error {"code":-32600,"message":"batch too large"}'],
    ['[{"id":1,"result":1}', 'bad: cut short after 20 bytes'],
    ['[{"id":1,"result":1},]', 'bad: parse error: unexpected 0x5d at byte 21'],
    ['[{"id":1,"result":1}}', 'bad: parse error: unexpected 0x7d at byte 20'],
    ['[{"id":1,"result":1}]]', 'bad: parse error: unexpected 0x5d at byte 21'],
    ['', 'bad: empty'],
  ])('%s', (text, expected) => {
    expect(tellAll(text)).toEqual(expected);
  });

  it.each([
    ['1', 1], ['0', 0], ['123456789012', 123456789012], ['"1"', ODD_ID], ['-1', ODD_ID], ['1.0', ODD_ID], ['1e3', ODD_ID], ['null', NO_ID],
    ['9007199254740993', ODD_ID], ['true', ODD_ID], ['{}', ODD_ID], ['""', ODD_ID],
  ])('the id %s is our number %i', (idRaw, id) => {
    expect(integerId(idRaw)).toBe(id);
    expect(splitReply(Buffer.from(`{"id":${idRaw},"result":1}`))).toMatchObject({ kind: 'result', id });
  });

  it('an id that is not there is none', () => {
    expect([integerId(null), integerId('')]).toEqual([NO_ID, ODD_ID]);
  });
});
