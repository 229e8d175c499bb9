import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/base/fault.ts';
import {
  answerHead, closedValue, composedError, errorEnvelope, joinBatch, nodeErrorEnvelope, ownValue, requestBatch, requestEnvelope, resultEnvelope,
} from '../../../src/rpc/envelope.ts';

/** Any UTF-16, lone surrogates and controls included. */
const anyText = fc.array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff)), { maxLength: 40, size: 'max' }).map((units) => String.fromCharCode(...units));

describe('requests to nodes', () => {
  it('are our own words around the raw params', () => {
    expect(requestEnvelope(7, 'eth_call', '[ {"to":"0x1"} ]')).toBe('{"jsonrpc":"2.0","id":7,"method":"eth_call","params":[ {"to":"0x1"} ]}');
    expect(requestEnvelope(8, 'eth_chainId', '')).toBe('{"jsonrpc":"2.0","id":8,"method":"eth_chainId","params":[]}');
    expect(requestBatch([requestEnvelope(1, 'a', ''), requestEnvelope(2, 'b', '{}')]))
      .toBe('[{"jsonrpc":"2.0","id":1,"method":"a","params":[]},{"jsonrpc":"2.0","id":2,"method":"b","params":{}}]');
  });

  it('cannot be broken out of by a method', () => {
    fc.assert(fc.property(anyText, (method) => {
      const raw = requestEnvelope(1, method, '["\u00c3\u00a9"]');
      expect(JSON.parse(Buffer.from(raw, 'latin1').toString('utf8'))).toEqual({ jsonrpc: '2.0', id: 1, method, params: ['é'] });
    }));
  });
});

describe('answers to clients', () => {
  it('keep the bytes of id and result', () => {
    const result = Buffer.from('{"big":90071992547409931234, "é" : "\\u0041"}');
    const answer = resultEnvelope(Buffer.from('"ü\\n"').toString('latin1'), result);
    expect(answer.toString('utf8')).toBe('{"jsonrpc":"2.0","id":"ü\\n","result":{"big":90071992547409931234, "é" : "\\u0041"}}');
    expect(nodeErrorEnvelope('1', Buffer.from('{"code":3,"message":"é"}')).toString()).toBe('{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"é"}}');
  });

  it('can be sent in two parts where the value is large, that from where it is kept', () => {
    const text = `[1,"é${'x'.repeat(9000)}"]`;
    const size = Buffer.byteLength(text);
    const message = Buffer.from(`{"result":${text}}`);
    const value = ownValue(message, 10, 10 + size);
    expect([value.toString(), value.buffer === message.buffer]).toEqual([text, false]);
    expect(Buffer.concat([answerHead('7', false), closedValue(value) ?? Buffer.alloc(0)]).toString()).toBe(`{"jsonrpc":"2.0","id":7,"result":${text}}`);
    expect(closedValue(value)?.buffer).toBe(value.buffer);
    expect(answerHead('"a"', true).toString()).toBe('{"jsonrpc":"2.0","id":"a","error":');
    // nothing behind it, or another byte
    expect([closedValue(Buffer.allocUnsafeSlow(9000)), closedValue(value.subarray(0, size - 1)), closedValue(value.subarray(0, 5))]).toEqual([null, null, null]);
    const small = ownValue(message, 10, 13);
    expect([small.toString(), small.buffer.byteLength]).toEqual(['[1,', 3]);
  });

  it('state our faults', () => {
    expect(errorEnvelope('null', new Fault('parse', 'unexpected end')).toString()).toBe('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error: unexpected end"}}');
    expect(errorEnvelope('5', new Fault('rateLimited', '', '{"waitS":2}')).toString()).toBe('{"jsonrpc":"2.0","id":5,"error":{"code":-32005,"message":"rate limit exceeded","data":{"waitS":2}}}');
  });

  it('carry any message', () => {
    fc.assert(fc.property(anyText, (message) => {
      const answer = JSON.parse(composedError('1', -32000, message, null).toString('utf8'));
      expect(answer).toEqual({ jsonrpc: '2.0', id: 1, error: { code: -32000, message } });
    }));
  });
});

describe('joinBatch', () => {
  it.each([0, 1, 2, 5])('joins %i answers', (count) => {
    const parts = Array.from({ length: count }, (_, k) => Buffer.from(`{"k":${k}}`));
    expect(joinBatch(parts).toString()).toBe(`[${parts.map(String).join(',')}]`);
  });
});
