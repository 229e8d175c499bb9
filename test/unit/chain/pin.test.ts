import { describe, expect, test } from 'vitest';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import { pinHeight, pinTags } from '../../../src/chain/pin.ts';
import type { PinBy } from '../../../src/chain/pin.ts';
import { hashOf } from '../../help/chainView.ts';

const catalog = evmCatalog();
const spec = (name: string) => catalog.find(name) ?? catalog.unknownSpec;
const anchor = { latest: { number: 100, hash: hashOf(100) }, finalized: { number: 50, hash: hashOf(50) } };
const pin = (method: string, params: string, by: PinBy = 'number', from: Parameters<typeof pinTags>[2] = anchor): string => pinTags(spec(method), params, from, by);
const A = '"0x00000000000000000000000000000000000000AA"';

describe('tags become the blocks that they stand for', () => {
  test.each([
    ['eth_getBalance', `[${A},"latest"]`, `[${A},"0x64"]`],
    ['eth_getBalance', ` [ ${A} ,\n"latest" ] `, ` [ ${A} ,\n"0x64" ] `],
    ['eth_getBalance', `[${A},"l\\u0061test"]`, `[${A},"0x64"]`],
    ['eth_getBalance', `[${A},"finalized"]`, `[${A},"0x32"]`],
    ['eth_getBalance', `[${A},{"blockNumber":"latest"}]`, `[${A},"0x64"]`],
    ['eth_getBlockByNumber', '["latest",true]', '["0x64",true]'],
    ['eth_feeHistory', '["0x5","latest",[]]', '["0x5","0x64",[]]'],
    ['eth_call', '[{"to":"latest"},"latest",{"x":"latest"}]', '[{"to":"latest"},"0x64",{"x":"latest"}]'],
    ['eth_call', '[{"to":"0x1"}]', '[{"to":"0x1"},"0x64"]'],
    ['eth_call', '[{"to":"0x1"},null,{}]', '[{"to":"0x1"},"0x64",{}]'],
    ['eth_getLogs', '[{"fromBlock":"finalized","toBlock":"latest","topics":["latest"]}]', '[{"fromBlock":"0x32","toBlock":"0x64","topics":["latest"]}]'],
    ['eth_getLogs', '[{"fromBlock":"0x1"}]', '[{"toBlock":"0x64","fromBlock":"0x1"}]'],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":null}]', '[{"fromBlock":"0x1","toBlock":"0x64"}]'],
  ])('%s %s', (method, params, pinned) => {
    expect(pin(method, params)).toBe(pinned);
  });

  test.each([
    ['eth_getBalance', `[${A},"pending"]`],
    ['eth_getBalance', `[${A},"safe"]`],
    ['eth_getBalance', `[${A},"earliest"]`],
    ['eth_getBalance', `[${A},"0x5"]`],
    ['eth_getBalance', `[${A},{"blockHash":"${hashOf(3)}"}]`],
    ['eth_getBalance', `[${A}]`],
    ['eth_getBalance', `{"address":${A},"block":"latest"}`],
    ['eth_estimateGas', '[{"to":"0x1"}]'],
    ['eth_getLogs', '[{"toBlock":"latest"}]'],
    ['eth_getLogs', `[{"blockHash":"${hashOf(3)}"}]`],
    ['eth_getLogs', '[]'],
    ['eth_getBlockByHash', '["latest"]'],
    ['eth_gasPrice', '["latest"]'],
    ['eth_call', '[]'],
    ['eth_call', ''],
  ])('%s %s stays as it is', (method, params) => {
    expect(pin(method, params)).toBe(params);
    expect(pin(method, params, 'hash')).toBe(params);
  });

  test('a finalized block that is not known is left to the node', () => {
    expect(pin('eth_getBalance', `[${A},"finalized"]`, 'number', { ...anchor, finalized: null })).toBe(`[${A},"finalized"]`);
  });
});

describe('by hash', () => {
  test('in the methods of EIP-1898, by number in the others', () => {
    expect(pin('eth_call', '[{},"latest"]', 'hash')).toBe(`[{},{"blockHash":"${hashOf(100)}"}]`);
    expect(pin('eth_getProof', `[${A},[],"finalized"]`, 'hash')).toBe(`[${A},[],{"blockHash":"${hashOf(50)}"}]`);
    expect(pin('eth_getBlockByNumber', '["latest",true]', 'hash')).toBe('["0x64",true]');
  });

  test('a height becomes the hash of its block', () => {
    expect(pinHeight(spec('eth_getCode'), `[${A},"0x05"]`, hashOf(5))).toBe(`[${A},{"blockHash":"${hashOf(5)}"}]`);
    expect(pinHeight(spec('eth_getBlockByNumber'), '["0x5",true]', hashOf(5))).toBe('["0x5",true]');
  });
});
