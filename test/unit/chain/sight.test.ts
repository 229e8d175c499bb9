import { describe, expect, test } from 'vitest';
import { blockRefOf } from '../../../src/chain/blockref.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import { sightOf } from '../../../src/chain/sight.ts';
import { hashOf } from '../../help/chainView.ts';

const catalog = evmCatalog();
const A = '"0x00000000000000000000000000000000000000aa"';
const sight = (method: string, params = '', head = 100, finalized = 50) => {
  const spec = catalog.find(method) ?? catalog.unknownSpec;
  return sightOf(spec, blockRefOf(spec, params), head, finalized);
};

describe('what a call depends on', () => {
  test.each([
    ['eth_getBalance', `[${A},"latest"]`, 100, true],
    ['eth_getBalance', `[${A},"pending"]`, 100, true],
    ['eth_getBalance', `[${A},"safe"]`, 100, true],
    ['eth_getBalance', `[${A},"finalized"]`, 50, true],
    ['eth_getBalance', `[${A},"0x60"]`, 96, false],
    ['eth_getBalance', `[${A},"earliest"]`, -1, false],
    ['eth_gasPrice', '', 100, true],
    ['eth_sendRawTransaction', '["0x01"]', 100, true],
    ['eth_getTransactionReceipt', `["${hashOf(1)}"]`, 100, false],
    ['eth_getBlockByHash', `["${hashOf(1)}"]`, 100, false],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"0x2"}]', 2, false],
    ['eth_getLogs', '[{"fromBlock":"0x1"}]', 100, true],
    ['eth_chainId', '', -1, false],
    ['eth_syncing', '', -1, false],
    ['eth_newFilter', '[{}]', -1, false],
    ['anvil_mine', '', -1, false],
    ['made_up', '', -1, false],
  ])('%s %s goes to nodes at %i, firm: %s', (method, params, trustedBlock, firm) => {
    expect(sight(method, params)).toMatchObject({ trustedBlock, firm });
  });

  test('a height above the head is waited for', () => {
    expect(sight('eth_getBlockByNumber', '["0x65",false]')).toMatchObject({ trustedBlock: 100, firm: false, ahead: 101 });
  });

  test('a reorg changes what is not final', () => {
    expect(sight('eth_getBlockByNumber', '["0x32",false]').mayChange).toBe(false);
    expect(sight('eth_getBlockByNumber', '["0x33",false]')).toMatchObject({ mayChange: true, named: 51 });
    expect(sight('eth_getBalance', `[${A},"finalized"]`).mayChange).toBe(false);
    expect(sight('eth_getBalance', `[${A},"latest"]`).mayChange).toBe(true);
    expect(sight('eth_sendRawTransaction', '["0x01"]').mayChange).toBe(false);
  });

  test('without a trusted head any node will do', () => {
    expect(sight('eth_getBalance', `[${A},"latest"]`, -1, -1)).toMatchObject({ trustedBlock: -1, mayChange: false });
  });
});
