import { describe, expect, it } from 'vitest';
import { affinityKey } from '../../../src/route/affinity.ts';
import type { AffinityKind, KeyParts } from '../../../src/route/affinity.ts';
import { specOf } from '../../help/route.ts';

const ADDRESS = '0x00000000219ab540356cBB839Cbe05303d7705Fa';
const key = (kind: AffinityKind, parts: Partial<KeyParts>): number | null =>
  affinityKey(kind, { spec: specOf({ addressIndex: 0 }), method: 'eth_call', paramsRaw: '', client: '', ...parts });

describe('affinityKey', () => {
  it('of a request is made of method and params', () => {
    const one = key('request', { paramsRaw: '["0x1"]' });
    expect(key('request', { paramsRaw: '["0x1"]' })).toBe(one);
    expect(key('request', { paramsRaw: '["0x2"]' })).not.toBe(one);
    expect(key('request', { paramsRaw: '["0x1"]', method: 'eth_getCode' })).not.toBe(one);
    expect(key('request', { paramsRaw: '["0x1"]', client: 'x' })).toBe(one);
  });

  it('of a block is the same for all calls about it, and the request where none is named', () => {
    const spec = specOf({ block: { kind: 'number', index: 0, object: true, fallback: 'none' } });
    const one = key('block', { spec, method: 'trace_block', paramsRaw: '["0x10"]' });
    expect(key('block', { spec, method: 'debug_traceBlockByNumber', paramsRaw: '["0x010",{"tracer":"callTracer"}]' })).toBe(one);
    expect(key('block', { spec, method: 'trace_block', paramsRaw: '["0x11"]' })).not.toBe(one);
    expect(key('block', { paramsRaw: '["0x1"]' })).toBe(key('request', { paramsRaw: '["0x1"]' }));
  });

  it('of a long request is made of its ends and its length', () => {
    const long = (middle: string, tail: string): string => `["${'a'.repeat(5000)}${middle}${'b'.repeat(5000)}${tail}"]`;
    expect(key('request', { paramsRaw: long('x', '1') })).not.toBe(key('request', { paramsRaw: long('x', '2') }));
    expect(key('request', { paramsRaw: long('x', '') })).not.toBe(key('request', { paramsRaw: long('xx', '') }));
  });

  it.each([
    `["${ADDRESS}","latest"]`,
    ` [ "${ADDRESS.toLowerCase()}" ]`,
    `[{"data":"0x","to":"${ADDRESS}"},"latest"]`,
    `[{"address":"${ADDRESS}","topics":[]}]`,
    `[{"fromBlock":"0x1","address":["${ADDRESS}","0x22"]}]`,
  ])('of a contract is the same wherever the address stands: %s', (paramsRaw) => {
    expect(key('contract', { paramsRaw })).toBe(
      key('contract', { paramsRaw: `["${ADDRESS}"]`, method: 'eth_getCode' }),
    );
  });

  it.each(['', '[]', '{}', '[{}]', '[{"data":"0x60"}]', '[null]', '[7]', '[[]]', '[{"to":null}]'])(
    'of a contract falls back to the request: %s',
    (paramsRaw) => {
      expect(key('contract', { paramsRaw })).toBe(key('request', { paramsRaw }));
    },
  );

  it('of a client is its own; none has no key', () => {
    expect(key('client', { client: 'a', paramsRaw: '[1]' })).toBe(key('client', { client: 'a', paramsRaw: '[2]' }));
    expect(key('client', { client: 'a' })).not.toBe(key('client', { client: 'b' }));
    expect(key('none', {})).toBeNull();
  });
});
