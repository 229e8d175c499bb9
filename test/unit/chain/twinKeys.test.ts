import { describe, expect, test } from 'vitest';
import { hasTwinKeys } from '../../../src/chain/twinKeys.ts';

/** Params as the scanner hands them on: one char per byte. */
const raw = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('hasTwinKeys', () => {
  test.each([
    '[{"to":"0x1","to":"0x2"}]',
    '["latest", {"a":[1,{"b":"}"}] , "to":1 ,"data":"\\"", "To" : 2}, 1]',
    '{"to":1,"TO":2}',
    '[{"to":1,"t\\u006f":2}]',
    '[{"hash":1,"ha\u017fh":2}]',
    '[{"hash":1,"ha\\u017fh":2}]',
    '[{"block":1,"bloc\u212a":2}]',
    '[[],{},{"":1,"":2}]',
  ])('%s has', (text) => expect(hasTwinKeys(raw(text))).toBe(true));

  test.each([
    '',
    '[]',
    '{}',
    '[1,"a,{\\"x\\":1,\\"x\\":1}",null]',
    '[{"to":1},{"to":2}]',
    '[{"a":{"to":1,"to":2}}]',
    '{"to":1,"from":2}',
    '[ { "to" : 1 , "from" : [ { "to" : 1 } ] } , {"é":1,"è":2} ]',
  ])('%s has not', (text) => expect(hasTwinKeys(raw(text))).toBe(false));
});
