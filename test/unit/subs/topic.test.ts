import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/base/fault.ts';
import { readTopic } from '../../../src/subs/topic.ts';

const A = `0x${'aa'.repeat(20)}`;
const B = `0x${'0b'.repeat(20)}`;
const T = `0x${'11'.repeat(32)}`;
const U = `0x${'22'.repeat(32)}`;

const key = (...params: readonly unknown[]): string => {
  const topic = readTopic(JSON.stringify(params), 10);
  if (topic instanceof Fault) throw new Error(topic.message);
  return topic.key;
};
const fault = (...params: readonly unknown[]): string => {
  const topic = readTopic(JSON.stringify(params), 10);
  return topic instanceof Fault ? `${topic.spec.code} ${topic.message}` : 'a topic';
};

describe('topics', () => {
  it('are the same whatever the order of addresses and of alternatives in one position', () => {
    expect(key('logs', { address: [A, B], topics: [[T, U], null] })).toBe(key('logs', { address: [B, A.toUpperCase().replace('X', 'x'), B], topics: [[U, T], []] }));
    expect(key('logs', { address: A })).toBe(key('logs', { address: [A], topics: [] }));
    expect(key('logs')).toBe(key('logs', {}));
    expect(key('logs', { topics: [[T, null]] })).toBe(key('logs', { topics: [null] }));
  });

  it('differ in the position of a topic, in how many positions there must be, and in kind', () => {
    const keys = [
      key('logs', {}), key('logs', { topics: [null] }), key('logs', { topics: [null, null] }), key('logs', { topics: [T] }), key('logs', { topics: [null, T] }),
      key('logs', { topics: [T, null] }), key('logs', { topics: [[T, U]] }), key('logs', { topics: [T, U] }), key('logs', { address: A }), key('newHeads'),
      key('syncing'), key('newPendingTransactions'), key('newPendingTransactions', true),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(key('newPendingTransactions', false)).toBe(key('newPendingTransactions'));
  });

  it('have equal keys just when the sets per position are equal', () => {
    const word = fc.integer({ min: 0, max: 3 }).map((n) => `0x${String(n).repeat(64)}`);
    const topics = fc.array(fc.oneof(fc.constant(null), word, fc.array(word, { maxLength: 3 })), { maxLength: 4 });
    const sets = (list: readonly unknown[]): string => JSON.stringify(list.map((at) => [...new Set(at === null ? [] : [at].flat())].sort()));
    fc.assert(fc.property(topics, topics, (a, b) => {
      expect(key('logs', { topics: a }) === key('logs', { topics: b })).toBe(sets(a) === sets(b));
    }));
  });

  it.each([
    [['blocks'], '-32602 invalid params: params[0] must be newHeads, logs, newPendingTransactions or syncing'],
    [[], '-32602 invalid params: params[0] must be newHeads, logs, newPendingTransactions or syncing'],
    [['logs', 'x'], '-32602 invalid params: params[1] must be a filter'],
    [['logs', { address: '0x1' }], '-32602 invalid params: params[1].address is not a 20-byte address'],
    [['logs', { address: [A, 5] }], '-32602 invalid params: params[1].address[1] is not a 20-byte address'],
    [['logs', { topics: T }], '-32602 invalid params: params[1].topics must be a list'],
    [['logs', { topics: [null, [T, '0x']] }], '-32602 invalid params: params[1].topics[1][1] is not a 32-byte word'],
    [['logs', { topics: [null, null, null, null, null] }], '-32602 invalid params: params[1].topics has more than 4 positions'],
    [['logs', { address: Array(11).fill(A) }], '-32602 invalid params: params[1].address has more than 10 entries'],
    [['logs', { blockHash: T }], '-32602 invalid params: params[1].blockHash has no meaning in a subscription'],
    [['newHeads', 1], '-32602 invalid params: params[1]: newHeads takes no options'],
    [['newPendingTransactions', 'all'], '-32602 invalid params: params[1] must be true or false'],
  ])('%j is refused with its place', (params, expected) => {
    expect(fault(...params)).toBe(expected);
  });

  it.each([`{"address":"${A}","address":"${A}"}`, `{"topics":[],"Topics":[]}`])('%s is refused: clients differ on which of the two counts', (filter) => {
    const told = readTopic(`["logs",${filter}]`, 10);
    expect(told instanceof Fault && told.message).toContain('params[1] has a member twice');
  });

  it('need a list of params', () => {
    expect(readTopic('{"a":1}', 10)).toBeInstanceOf(Fault);
    expect(readTopic('', 10)).toBeInstanceOf(Fault);
  });
});
