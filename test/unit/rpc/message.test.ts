import { describe, expect, it } from 'vitest';
import { splitMessage } from '../../../src/rpc/message.ts';

const split = (text: string) => {
  const body = Buffer.from(text);
  const message = splitMessage(body);
  return message.kind === 'bad' ? message : { ...message, text: body.toString('utf8', message.start, message.end) };
};

describe('splitMessage', () => {
  it.each([
    ['{"jsonrpc":"2.0","id":7,"result":{"a":[1]}}', { kind: 'result', id: 7, text: '{"a":[1]}' }],
    ['{"id":7,"error":{"code":-32000,"message":"no"},"jsonrpc":"2.0"}', { kind: 'error', id: 7, code: -32000, message: 'no' }],
    ['{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse"}}', { kind: 'error', id: -1, code: -32700 }],
  ])('answer %s', (text, expected) => {
    expect(split(text)).toMatchObject(expected);
  });

  it.each([
    ['{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1f","result":{"number":"0x1"}}}', '"0x1f"', '{"number":"0x1"}'],
    [' {"params" : {"result" : [ 1 ] , "subscription" : 12 }, "method" : "eth_subscription" } ', '12', '[ 1 ]'],
    ['{"method":"eth_subscription","params":{"subscr\\u0069ption":"a","result":null,"more":1}}', '"a"', 'null'],
  ])('notice %s', (text, subscriptionRaw, result) => {
    expect(split(text)).toMatchObject({ kind: 'notice', methodRaw: '"eth_subscription"', subscriptionRaw, text: result });
  });

  it.each([
    ['{"method":"eth_subscription","params":{"subscription":"a"}}', 'a notice without subscription or result'],
    ['{"method":"eth_subscription","params":{"result":1}}', 'a notice without subscription or result'],
    ['{"method":"eth_subscription","params":["a",1]}', 'a notice without params'],
    ['{"method":"eth_subscription"}', 'a notice without params'],
    ['{"method":"eth_subscription","params":{"subscription":"a","subscription":"b","result":1}}', 'a notice without subscription or result'],
    ['{"method":"a","method":"b","params":{"subscription":"a","result":1}}', 'a member occurs twice'],
    ['{"id":1,"method":"eth_call","params":[]}', 'neither result nor error'],
    ['{"jsonrpc":"2.0"}', 'neither result nor error'],
    ['{"method":"eth_subscription","params":{"subscription":"a","result":1}', 'cut short after 69 bytes'],
    ['[]', 'not an object'],
    ['', 'empty'],
  ])('neither: %s', (text, why) => {
    expect(split(text)).toEqual({ kind: 'bad', why });
  });
});
