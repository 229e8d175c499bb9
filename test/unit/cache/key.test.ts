import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyReader } from '../../../src/cache/key.ts';
import { planOf } from '../../../src/cache/plan.ts';
import { askOf } from '../../../src/cache/rule.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import { HandView, hashOf } from '../../help/chainView.ts';

const catalog = evmCatalog();
const reader = new KeyReader();
const view = new HandView();
const key = (method: string, params: string): string => askOf(planOf(catalog.find(method) ?? catalog.unknownSpec), params, view, reader).key;
const A = `0x${'ab'.repeat(20)}`;
const UP = `0x${'AB'.repeat(20)}`;
const T = `0x${'cd'.repeat(32)}`;

describe('equal calls meet', () => {
  it.each([
    ['eth_getBalance', `["${A}","0x1"]`, `[ "${UP}" , "0x0001" ]`],
    ['eth_getBalance', `["${A}","latest"]`, `["${A}","0x64"]`],
    ['eth_getBalance', `["${A}","finalized"]`, `["${A}",{"blockNumber":"0x32"}]`],
    ['eth_call', `[{"to":"${A}","data":"0x01"}]`, `[{"data":"0x01","to":"${UP}"},"latest"]`],
    ['eth_call', `[{"to":"${A}","gas":"0x0F"},null]`, `[{"gas":"0xf","to":"${A}"},"0x64"]`],
    ['eth_getStorageAt', `["${A}","0x0","0x1"]`, `["${A}","0x${'0'.repeat(64)}","0x1"]`],
    ['eth_getTransactionReceipt', `["${T}"]`, `["${T.toUpperCase().replace('X', 'x')}"]`],
    ['eth_getLogs', `[{"fromBlock":"0x1","toBlock":"latest","address":"${A}"}]`, `[{"address":"${UP}","fromBlock":"0x01"}]`],
    ['eth_gasPrice', '', '[]'],
    ['eth_getBlockByHash', `["${hashOf(9)}",true]`, `["${hashOf(9)}", true]`],
  ])('%s', (method, one, other) => {
    expect(key(method, one)).not.toBe('');
    expect(key(method, other)).toBe(key(method, one));
  });
});

describe('different calls never meet', () => {
  it.each([
    // DATA keeps its zeros, storage keys of a proof and topics stay as they are
    ['eth_call', `[{"to":"${A}","data":"0x01"}]`, `[{"to":"${A}","data":"0x1"}]`],
    ['eth_call', `[{"to":"${A}","data":"0xab"}]`, `[{"to":"${A}","data":"0xAB"}]`],
    ['eth_call', `[{"to":"${A}","data":"0x01"}]`, `[{"to":"${A}","input":"0x01"}]`],
    ['eth_call', `[{"to":"${A}"},"latest"]`, `[{"to":"${A}"},"latest",{}]`],
    ['eth_call', `[{"to":"${A}"},"latest",{"${A}":{"balance":"0x1"}}]`, `[{"to":"${A}"},"latest",{"${A}":{"balance":"0x01"}}]`],
    ['eth_call', `[{"to":"${A}"},"latest",{},{"number":"0x1"}]`, `[{"to":"${A}"},"latest",{},{"number":"0x2"}]`],
    ['eth_call', `[{"to":"${A}"}]`, `[{"to":"${A}","unknown":1}]`],
    ['eth_call', `[{"to":"${A}"}]`, `[{"from":"${A}"}]`],
    ['eth_getProof', `["${A}",["0x1"],"0x1"]`, `["${A}",["0x01"],"0x1"]`],
    ['eth_getLogs', `[{"fromBlock":"0x1","topics":["${T}"]}]`, `[{"fromBlock":"0x1","topics":["${T}",null]}]`],
    ['eth_getLogs', `[{"fromBlock":"0x1","topics":["${T}"]}]`, `[{"fromBlock":"0x1","topics":[["${T}"]]}]`],
    ['eth_getLogs', `[{"fromBlock":"0x1","address":"${A}"}]`, `[{"fromBlock":"0x1","address":["${A}"]}]`],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"0x2"}]', '[{"fromBlock":"0x12","toBlock":"0x12"}]'],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"0x2"}]', '[{"fromBlock":"0x2","toBlock":"0x2"}]'],
    ['eth_getBlockByNumber', '["0x1",true]', '["0x1",false]'],
    ['eth_getBlockByNumber', '["0x1"]', '["0x1",false]'],
    ['eth_getBalance', `["${A}",{"blockHash":"${hashOf(1)}"}]`, `["${A}","0x1"]`],
    ['eth_getBalance', `["${A}",{"blockHash":"${hashOf(1)}"}]`, `["${A}",{"blockHash":"${hashOf(1)}","requireCanonical":true}]`],
    ['eth_feeHistory', '["0x4","0x1",[1]]', '["0x4","0x1",[1.0]]'],
  ])('%s', (method, one, other) => {
    expect(key(method, one)).not.toBe('');
    expect(key(method, other)).not.toBe('');
    expect(key(method, other)).not.toBe(key(method, one));
  });

  it.each([
    ['eth_call', `[{"to":"${A}","to":"${A}"}]`],
    ['eth_call', `[{"to":"${A}","TO":"${A}"}]`],
    ['eth_call', `[{"to":"${A}","t\\u006f":"${A}"}]`],
    ['eth_call', `[{"to":"${A}"},"latest",{"${A}":{"code":"0x","Code":"0x"}}]`],
    ['eth_getLogs', '[{"fromBlock":"0x1","fromblock":"0x1"}]'],
    ['eth_getBalance', `["${A}",{"blockNumber":"0x1","blockNumber":"0x2"}]`],
    ['eth_getBalance', `{"address":"${A}"}`],
  ])('%s %s is kept to itself', (method, params) => {
    expect(key(method, params)).toBe('');
  });
});

/** A call as it is meant, and ways to write it. */
interface Meant {
  readonly address: string;
  readonly value: bigint;
  readonly data: string;
  readonly field: 'data' | 'input';
  readonly block: number;
  readonly extra: number;
}
const hexChars = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const meant: fc.Arbitrary<Meant> = fc.record({
  address: fc.oneof(hexChars(40), fc.constant('a'.repeat(40))),
  value: fc.oneof(fc.bigInt(0n, 40n), fc.bigInt(0n, 1n << 70n)),
  data: fc.oneof(fc.constantFrom('0x', '0x00', '0x01', '0x0001'), hexChars(8).map((text) => `0x${text}`)),
  field: fc.constantFrom('data', 'input'),
  block: fc.integer({ min: 0, max: 99 }),
  extra: fc.integer({ min: 0, max: 2 }),
});
/** Choices of spelling, drawn as numbers. */
const spelling = fc.array(fc.nat(7), { minLength: 12, maxLength: 12 });

function write(call: Meant, choices: readonly number[]): string {
  let at = 0;
  const pick = (n: number): number => (choices[at++ % choices.length] as number) % n;
  const space = (): string => ['', ' ', '\n', '\t '][pick(4)] as string;
  const cased = (text: string): string => (pick(2) === 0 ? text : text.toUpperCase());
  const quantity = (value: bigint | number): string => `"0x${'0'.repeat(pick(4))}${cased(value.toString(16))}"`;
  const members = [`"to"${space()}:${space()}"0x${cased(call.address)}"`, `"value":${quantity(call.value)}`, `"${call.field}":"${call.data}"`];
  if (call.extra > 0) members.push(`"unknown":${call.extra}`);
  for (let turns = pick(4); turns > 0; turns--) members.push(members.shift() as string);
  const block = pick(3) === 0 ? `{"blockNumber":${quantity(call.block)}}` : quantity(call.block);
  return `${space()}[${space()}{${space()}${members.join(`${space()},${space()}`)}}${space()},${block}${space()}]`;
}

describe('of random calls', () => {
  it('each spelling of one gives one key', () => {
    fc.assert(
      fc.property(meant, spelling, spelling, (call, one, other) => {
        expect(key('eth_call', write(call, one))).toBe(key('eth_call', write(call, other)));
      }),
      { numRuns: 2000 },
    );
  });

  it('two that differ give two', () => {
    fc.assert(
      fc.property(meant, meant, spelling, spelling, (a, b, one, other) => {
        const same = a.address === b.address && a.value === b.value && a.data === b.data && a.field === b.field && a.block === b.block && a.extra === b.extra;
        expect(key('eth_call', write(a, one)) === key('eth_call', write(b, other))).toBe(same);
      }),
      { numRuns: 2000 },
    );
  });

  it('any JSON among the params is either kept apart by its value, or to itself', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.json({ maxDepth: 3 }), (a, b) => {
        const keyOf = (text: string): string => key('eth_call', `[{"to":"${A}"},"latest",${text}]`);
        const [one, other] = [keyOf(a), keyOf(b)];
        if (one !== '' && one === other) expect(JSON.parse(a)).toEqual(JSON.parse(b));
        if (a === b) expect(one).toBe(other);
      }),
      { numRuns: 2000 },
    );
  });

  it('broken text ends in a key or none, never in an exception or a hang', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('eth_call', 'eth_getLogs', 'eth_getBalance', 'eth_getBlockByHash'), (text, method) => {
        expect(typeof key(method, text)).toBe('string');
        expect(typeof key(method, `[${text}`)).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });
});
