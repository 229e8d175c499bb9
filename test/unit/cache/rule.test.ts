import { describe, expect, it } from 'vitest';
import { KeyReader } from '../../../src/cache/key.ts';
import { planOf } from '../../../src/cache/plan.ts';
import { askOf, type CallAsk } from '../../../src/cache/rule.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import { HandView, hashOf } from '../../help/chainView.ts';

const catalog = evmCatalog();
const reader = new KeyReader();
const A = `0x${'ab'.repeat(20)}`;
const H = hashOf(77);

const ask = (method: string, params: string, view = new HandView()): CallAsk =>
  askOf(planOf(catalog.find(method) ?? catalog.unknownSpec), params, view, reader);
const seen = ({ class: finality, number, hash }: CallAsk): string =>
  number < 0 ? finality : `${finality} ${number}${hash === hashOf(number) ? '' : ` ${hash || 'unknown'}`}`;

describe('the class of a call', () => {
  it.each([
    ['eth_chainId', '', 'static'],
    ['web3_sha3', '["0x"]', 'static'],
    ['eth_getBalance', `["${A}","latest"]`, 'head 100'],
    ['eth_getBalance', `["${A}","0x64"]`, 'unfinalized 100'],
    ['eth_getBalance', `["${A}","0x33"]`, 'unfinalized 51'],
    ['eth_getBalance', `["${A}","0x32"]`, 'finalized 50'],
    ['eth_getBalance', `["${A}","0x65"]`, 'unfinalized 101 unknown'],
    ['eth_getBalance', `["${A}","finalized"]`, 'finalized 50'],
    ['eth_getBalance', `["${A}",{"blockNumber":"0x5"}]`, 'finalized 5'],
    ['eth_getBalance', `["${A}",{"blockHash":"${H}"}]`, 'unfinalized'],
    ['eth_getBlockByHash', `["${H}",false]`, 'unfinalized'],
    ['eth_getBlockByNumber', '["latest",false]', 'head 100'],
    ['eth_feeHistory', '["0x4","latest",[]]', 'head 100'],
    ['eth_feeHistory', '[4,"0x10",[]]', 'finalized 16'],
    ['eth_gasPrice', '', 'head 100'],
    ['eth_maxPriorityFeePerGas', '[]', 'head 100'],
    ['eth_blobBaseFee', '[]', 'head 100'],
    ['eth_call', `[{"to":"${A}"}]`, 'head 100'],
    ['eth_call', `[{"to":"${A}"},null]`, 'head 100'],
    ['eth_getTransactionReceipt', `["${H}"]`, 'unfinalized 100'],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"0x10"}]', 'finalized 16'],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"0x40"}]', 'unfinalized 64'],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"latest"}]', 'head 100'],
    ['eth_getLogs', '[{"fromBlock":"0x1"}]', 'head 100'],
    ['eth_getLogs', `[{"blockHash":"${H}"}]`, 'unfinalized'],
    // never: pending, tags that differ between clients, defaults that do, what a node says of itself, what is unknown
    ['eth_getBalance', `["${A}","pending"]`, 'never'],
    ['eth_getBalance', `["${A}","safe"]`, 'never'],
    ['eth_getBalance', `["${A}","earliest"]`, 'never'],
    ['eth_getBalance', `["${A}"]`, 'never'],
    ['eth_getBalance', `["${A}",17]`, 'never'],
    ['eth_getBalance', `["${A}","0X11"]`, 'never'],
    ['eth_getBalance', `["${A}",{"blockHash":"${H}","blockNumber":"0x1"}]`, 'never'],
    ['eth_getBalance', `["${A}",{"blockNumber":"0x1","x":1}]`, 'never'],
    ['eth_getBalance', `{"address":"${A}","block":"0x1"}`, 'never'],
    ['eth_estimateGas', `[{"to":"${A}"}]`, 'never'],
    ['eth_createAccessList', `[{"to":"${A}"}]`, 'never'],
    ['eth_getLogs', '[{"toBlock":"0x10"}]', 'never'],
    ['eth_getLogs', '[{"fromBlock":"0x11","toBlock":"0x10"}]', 'never'],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"0x65"}]', 'never'],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"pending"}]', 'never'],
    ['eth_getLogs', `[{"fromBlock":"0x1","blockHash":"${H}"}]`, 'never'],
    ['eth_getBlockByHash', '["0x12",false]', 'never'],
    ['debug_traceTransaction', `["${H}"]`, 'never'],
    ['eth_getRawTransactionByHash', `["${H}"]`, 'never'],
    ['eth_syncing', '', 'never'],
    ['net_version', '', 'never'],
    ['net_peerCount', '', 'never'],
    ['web3_clientVersion', '', 'never'],
    ['txpool_content', '', 'never'],
    ['eth_mining', '', 'never'],
    ['eth_getFilterChanges', '["0x1"]', 'never'],
    ['eth_sendRawTransaction', '["0x02"]', 'never'],
    ['anvil_mine', '[]', 'never'],
    ['eth_somethingNew', '["latest"]', 'never'],
  ])('%s %s is %s', (method, params, expected) => {
    const found = ask(method, params);
    expect(seen(found)).toBe(expected);
    expect(found.key === '').toBe(found.class === 'never');
  });

  it('gives everything that reads, and nothing that does not, a rule', () => {
    for (const spec of catalog.specs()) {
      if (spec.class === 'write' || spec.class === 'filter' || spec.class === 'dev' || !spec.idempotent) {
        expect([spec.name, spec.finality]).toEqual([spec.name, 'never']);
      }
      if (/^(net|txpool|admin|personal|engine|miner|anvil|evm|hardhat)_/.test(spec.name)) expect([spec.name, spec.finality]).toEqual([spec.name, 'never']);
    }
    const counts = new Map<string, number>();
    for (const spec of catalog.specs()) counts.set(spec.finality, (counts.get(spec.finality) ?? 0) + 1);
    expect(counts.get('byBlock')).toBeGreaterThan(70);
  });

  it('stores nothing of a number before the first agreement, and nothing as final where nothing is', () => {
    const unborn = new HandView(10, -1);
    unborn.head = null;
    for (const block of ['"latest"', '"finalized"', '"pending"']) expect(ask('eth_getBalance', `["${A}",${block}]`, unborn).class).toBe('never');
    expect(ask('eth_gasPrice', '', unborn).class).toBe('never');
    const endless = new HandView(100, -1);
    expect(seen(ask('eth_getBalance', `["${A}","0x1"]`, endless))).toBe('unfinalized 1');
    expect(seen(ask('eth_getBalance', `["${A}","finalized"]`, endless))).toBe('never');
  });

  it('knows no hash of a height that left the window, save that of the finalized block', () => {
    const view = new HandView(300, 50);
    view.forgetBelow(180);
    expect(seen(ask('eth_getBalance', `["${A}","0x1"]`, view))).toBe('finalized 1 unknown');
    expect(seen(ask('eth_getBalance', `["${A}","0x32"]`, view))).toBe('finalized 50');
    expect(seen(ask('eth_getBalance', `["${A}","0x64"]`, view))).toBe('unfinalized 100 unknown');
  });

  it('follows the head: the same tag is another call at another head', () => {
    const view = new HandView();
    const before = ask('eth_getBalance', `["${A}","latest"]`, view);
    view.grow();
    const after = ask('eth_getBalance', `["${A}","latest"]`, view);
    expect(after.key).not.toBe(before.key);
    expect(ask('eth_getBalance', `["${A}","0x65"]`, view).key).toBe(after.key);
  });
});
