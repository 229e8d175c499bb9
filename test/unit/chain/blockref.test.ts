import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, type BlockRef, blockRefOf } from '../../../src/chain/blockref.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import type { MethodSpec } from '../../../src/chain/method.ts';

const catalog = evmCatalog();
const spec = (name: string): MethodSpec => catalog.find(name) ?? catalog.unknownSpec;
const H = `0x${'ab'.repeat(32)}`;
const A = `0x${'Cd'.repeat(20)}`;

/** One word per reference: `latest`, `#5`, `hash`, `tx`, `#1..latest`, `none`, `bad`. */
function word(ref: BlockRef): string {
  switch (ref.kind) {
    case 'tag': return ref.tag;
    case 'number': return `#${ref.number}`;
    case 'hash': return ref.hash === H ? 'hash' : `hash ${ref.hash}`;
    case 'transaction': return ref.hash === H ? 'tx' : `tx ${ref.hash}`;
    case 'range': return `${word(ref.from)}..${word(ref.to)}`;
    default: return ref.kind;
  }
}

describe('blockRefOf', () => {
  it.each([
    // State reads: absent or null means the latest block.
    ['eth_getBalance', `["${A}"]`, 'latest'],
    ['eth_getBalance', `["${A}",null]`, 'latest'],
    ['eth_getBalance', `["${A}","latest"]`, 'latest'],
    ['eth_getBalance', ` [ "${A}" , "pending" ] `, 'pending'],
    ['eth_getBalance', `["${A}","safe"]`, 'safe'],
    ['eth_getBalance', `["${A}","finalized"]`, 'finalized'],
    ['eth_getBalance', `["${A}","earliest"]`, 'earliest'],
    ['eth_getBalance', `["${A}","0x0"]`, '#0'],
    ['eth_getBalance', `["${A}","0x01"]`, '#1'],
    ['eth_getBalance', `["${A}","0X1f"]`, '#31'],
    ['eth_getBalance', `["${A}","0x1fffffffffffff"]`, '#9007199254740991'],
    ['eth_getBalance', `["${A}","0x20000000000000"]`, 'bad'],
    ['eth_getBalance', `["${A}","0xffffffffffffffff"]`, 'bad'],
    ['eth_getBalance', `["${A}","\\u006catest"]`, 'latest'],
    ['eth_getBalance', `["${A}","LATEST"]`, 'bad'],
    ['eth_getBalance', `["${A}","12"]`, 'bad'],
    ['eth_getBalance', `["${A}","0x"]`, 'bad'],
    ['eth_getBalance', `["${A}","0xg"]`, 'bad'],
    ['eth_getBalance', `["${A}",""]`, 'bad'],
    ['eth_getBalance', `["${A}",true]`, 'bad'],
    ['eth_getBalance', `["${A}",17]`, '#17'],
    ['eth_getBalance', `["${A}",1.5]`, 'bad'],
    ['eth_getBalance', `["${A}",-1]`, 'bad'],
    ['eth_getBalance', `["${A}",1e3]`, 'bad'],
    ['eth_getBalance', `["${A}","${H}"]`, 'hash'],
    ['eth_getBalance', `["${A}","0x${'AB'.repeat(32)}"]`, 'hash'],
    ['eth_getBalance', '', 'latest'],
    ['eth_getBalance', '[]', 'latest'],
    ['eth_getBalance', `{"address":"${A}"}`, 'bad'],
    // EIP-1898
    ['eth_getBalance', `["${A}",{"blockHash":"${H}"}]`, 'hash'],
    ['eth_getBalance', `["${A}",{"requireCanonical":true,"blockHash":"${H}"}]`, 'hash'],
    ['eth_getBalance', `["${A}",{"blockNumber":"0x10"}]`, '#16'],
    ['eth_getBalance', `["${A}",{"blockNumber":"finalized"}]`, 'finalized'],
    ['eth_getBalance', `["${A}",{"blockHash":null,"blockNumber":"0x10"}]`, '#16'],
    ['eth_getBalance', `["${A}",{"blockNumber":"0x1","blockNumber":"0x2"}]`, '#2'],
    ['eth_getBalance', `["${A}",{"blockNumber":"0x1","blockHash":"${H}"}]`, 'bad'],
    ['eth_getBalance', `["${A}",{}]`, 'bad'],
    ['eth_getBalance', `["${A}",{"blockHash":"0x12"}]`, 'bad'],
    ['eth_getBalance', `["${A}",{"blockNumber":{"blockNumber":"0x1"}}]`, 'bad'],
    // The index is found behind values that hold commas, brackets and quotes.
    ['eth_call', `[{"to":"${A}","data":"0x,]","x":[1,{"y":"\\"]},"}]},"0x5"]`, '#5'],
    ['eth_call', `[{"to":"${A}"},"0x5",{"${A}":{"balance":"0x1"}}]`, '#5'],
    ['eth_call', `[{"data":"\\\\"},"0x7"]`, '#7'],
    ['eth_getStorageAt', `["${A}","0x0","0x9"]`, '#9'],
    ['eth_getProof', `["${A}",["0x1","0x2"],"0x9"]`, '#9'],
    ['eth_feeHistory', '["0x5","latest",[20,30]]', 'latest'],
    ['eth_callMany', `[[],{"blockNumber":"0x3","transactionIndex":-1}]`, '#3'],
    ['eth_simulateV1', '[{"blockStateCalls":[]},"safe"]', 'safe'],
    // Blocks by number take no object and no hash; nothing stands for a missing one.
    ['eth_getBlockByNumber', '["0x1b4",true]', '#436'],
    ['eth_getBlockByNumber', '["latest",false]', 'latest'],
    ['eth_getBlockByNumber', '[]', 'none'],
    ['eth_getBlockByNumber', '[null,false]', 'none'],
    ['eth_getBlockByNumber', `["${H}",false]`, 'bad'],
    ['eth_getBlockByNumber', `[{"blockHash":"${H}"},false]`, 'bad'],
    ['eth_getBlockReceipts', `["${H}"]`, 'hash'],
    ['eth_getBlockReceipts', `[{"blockNumber":"0x2"}]`, '#2'],
    ['eth_getBlockByHash', `["${H}",false]`, 'hash'],
    ['eth_getBlockByHash', '["latest",false]', 'bad'],
    ['eth_getBlockByHash', '[]', 'bad'],
    ['eth_getTransactionReceipt', `["${H}"]`, 'tx'],
    ['debug_traceTransaction', `["${H}",{"tracer":"callTracer"}]`, 'tx'],
    ['eth_getTransactionByHash', '[5]', 'bad'],
    // Ranges
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"0x2"}]', '#1..#2'],
    ['eth_getLogs', '[{"fromBlock":"0x1"}]', '#1..latest'],
    ['eth_getLogs', '[{"toBlock":"finalized","fromBlock":"earliest"}]', 'earliest..finalized'],
    ['eth_getLogs', '[{}]', 'latest..latest'],
    ['eth_getLogs', `[{"address":"${A}","topics":[["0x1",null]],"toBlock":null}]`, 'latest..latest'],
    ['eth_getLogs', `[{"blockHash":"${H}"}]`, 'hash'],
    ['eth_getLogs', `[{"blockHash":"${H}","fromBlock":"0x1"}]`, 'bad'],
    ['eth_getLogs', '[{"fromBlock":"soon"}]', 'bad'],
    ['eth_getLogs', `[{"fromBlock":"${H}"}]`, 'bad'],
    ['eth_getLogs', '[]', 'bad'],
    ['eth_getLogs', '["0x1"]', 'bad'],
    ['trace_filter', '[{"toBlock":"0x9","count":5}]', 'earliest..#9'],
    // Nothing to read
    ['eth_blockNumber', '[]', 'none'],
    ['eth_chainId', '', 'none'],
    ['custom_thing', '["0x1"]', 'none'],
  ])('%s %s -> %s', (name, params, expected) => {
    expect(word(blockRefOf(spec(name), params))).toBe(expected);
  });

  it('agrees with a full parse for any call', () => {
    const tags = ['latest', 'pending', 'safe', 'finalized', 'earliest'];
    fc.assert(fc.property(fc.json(), fc.constantFrom(...tags), fc.nat(), fc.boolean(), (first, tag, height, byTag) => {
      const block = byTag ? tag : `0x${height.toString(16)}`;
      const ref = blockRefOf(spec('eth_call'), `[${first},${JSON.stringify(block)},{}]`);
      expect(word(ref)).toBe(byTag ? tag : `#${height}`);
    }));
  });

  it('finds the last member of a name, like a decoder, whatever surrounds it', () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), fc.nat(), (others, from, to) => {
      const filter = { ...others, fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}`, blockHash: null };
      for (const text of [JSON.stringify([filter]), JSON.stringify([filter], null, 2)]) {
        expect(word(blockRefOf(spec('eth_getLogs'), text))).toBe(`#${from}..#${to}`);
      }
    }));
  });

  it('neither throws nor hangs on any text', () => {
    const names = ['eth_call', 'eth_getLogs', 'eth_getBlockByHash', 'eth_getBlockReceipts'];
    const pieces = fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', ':', ' ', '0x1', 'null', 'fromBlock', 'blockHash');
    fc.assert(fc.property(fc.constantFrom(...names), fc.array(pieces, { maxLength: 30 }), (name, parts) => {
      const text = parts.join('');
      expect(typeof blockRefOf(spec(name), text).kind).toBe('string');
      expect(typeof addressOf(spec(name), text)).toBe('string');
    }), { numRuns: 1000 });
  });
});

describe('addressOf', () => {
  const a = A.toLowerCase();
  it.each([
    ['eth_getBalance', `["${A}","latest"]`, a],
    ['eth_getBalance', '["0x12"]', ''],
    ['eth_getBalance', '[]', ''],
    ['eth_getBalance', '', ''],
    ['eth_getBalance', `{"address":"${A}"}`, ''],
    ['eth_call', `[{"data":"0x00","to":"${A}","from":"0x${'1'.repeat(40)}"},"latest"]`, a],
    ['eth_call', '[{"data":"0x6000"},"latest"]', ''],
    ['eth_call', '[{"to":null,"data":"0x6000"}]', ''],
    ['eth_estimateGas', `[{"to":"${A}"}]`, a],
    ['eth_getLogs', `[{"address":"${A}","fromBlock":"0x1"}]`, a],
    ['eth_getLogs', `[{"address":["${A}","0x${'2'.repeat(40)}"]}]`, a],
    ['eth_getLogs', '[{"address":[]}]', ''],
    ['eth_getLogs', '[{"topics":[]}]', ''],
    ['debug_storageRangeAt', `["${H}",0,"${A}","0x0",1]`, a],
    ['eth_blockNumber', '[]', ''],
    ['eth_getBlockByNumber', `["${A}"]`, ''],
  ])('%s %s -> %s', (name, params, expected) => {
    expect(addressOf(spec(name), params)).toBe(expected);
  });
});
