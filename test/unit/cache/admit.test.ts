import { describe, expect, it } from 'vitest';
import { admit, type Evidence, type Told } from '../../../src/cache/admit.ts';
import { paramsByHash, paramsByNumber } from '../../../src/cache/byHash.ts';
import { KeyReader } from '../../../src/cache/key.ts';
import { planOf } from '../../../src/cache/plan.ts';
import { askOf, type CallAsk } from '../../../src/cache/rule.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import { HandView, hashOf } from '../../help/chainView.ts';

const catalog = evmCatalog();
const A = `0x${'ab'.repeat(20)}`;
const T = `0x${'cd'.repeat(32)}`;
const hex = (n: number): string => `0x${n.toString(16)}`;
const block = (n: number, branch = 'a'): string => `{"number":"${hex(n)}","hash":"${hashOf(n, branch)}","parentHash":"${hashOf(n - 1, branch)}"}`;
const receipt = (n: number, branch = 'a'): string => `{"transactionHash":"${T}","blockHash":"${hashOf(n, branch)}","blockNumber":"${hex(n)}","status":"0x1"}`;

interface Case {
  readonly view?: HandView;
  readonly evidence?: Partial<Evidence>;
  readonly isError?: boolean;
}

const asked = (method: string, params: string, view = new HandView()): CallAsk =>
  askOf(planOf(catalog.find(method) ?? catalog.unknownSpec), params, view, new KeyReader());

/** What becomes of an answer, in one word. The node stood at the trusted head unless told otherwise. */
function fate(method: string, params: string, answer: string, { view = new HandView(), evidence = {}, isError = false }: Case = {}): string {
  const body = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":${answer}}`);
  const start = body.indexOf(answer, 26);
  const told: Told = { body, start, end: start + answer.length, isNull: answer === 'null', isError };
  const verdict = admit(asked(method, params, view), told, { byHash: false, agreedBefore: 100, agreedAfter: 100, head: view.head, ...evidence }, view);
  if (verdict.when === 'no') return 'no';
  return `${verdict.when} ${verdict.bond} ${verdict.class}${verdict.number < 0 ? '' : ` ${verdict.number}`}`;
}

describe('an answer that tells its block', () => {
  it.each([
    ['eth_getBlockByNumber', '["0x5a",false]', block(90), 'now block unfinalized 90'],
    ['eth_getBlockByNumber', '["0xa",false]', block(10), 'now block finalized 10'],
    ['eth_getBlockByNumber', '["latest",false]', block(100), 'now block unfinalized 100'],
    ['eth_getBlockByNumber', '["finalized",false]', block(50), 'now block finalized 50'],
    ['eth_getBlockByHash', `["${hashOf(90)}",false]`, block(90), 'now block unfinalized 90'],
    ['eth_getTransactionReceipt', `["${T}"]`, receipt(70), 'now block unfinalized 70'],
    ['eth_getTransactionByHash', `["${T}"]`, receipt(20), 'now block finalized 20'],
    ['eth_getBlockReceipts', '["0x5a"]', `[${receipt(90)},${receipt(90)}]`, 'now block unfinalized 90'],
    ['eth_getLogs', `[{"blockHash":"${hashOf(90)}"}]`, `[${receipt(90)}]`, 'now block unfinalized 90'],
    ['trace_transaction', `["${T}"]`, `[{"action":{},"blockHash":"${hashOf(20)}","blockNumber":20}]`, 'now block finalized 20'],
    // another fork, another block than asked for, one ahead of the trusted head, a pending one
    ['eth_getBlockByNumber', '["0x5a",false]', block(90, 'b'), 'no'],
    ['eth_getBlockByNumber', '["0xa",false]', block(10, 'b'), 'no'],
    ['eth_getBlockByNumber', '["0x5a",false]', block(91), 'no'],
    ['eth_getBlockByNumber', '["latest",false]', block(101), 'no'],
    ['eth_getBlockByNumber', '["latest",false]', block(99), 'no'],
    ['eth_getBlockByNumber', '["finalized",false]', block(52), 'no'],
    ['eth_getBlockByHash', `["${hashOf(90)}",false]`, block(91), 'no'],
    ['eth_getBlockByHash', `["${hashOf(90, 'b')}",false]`, block(90, 'b'), 'no'],
    ['eth_getTransactionReceipt', `["${T}"]`, receipt(70, 'b'), 'no'],
    ['eth_getTransactionReceipt', `["${T}"]`, receipt(101), 'no'],
    ['eth_getTransactionByHash', `["${T}"]`, '{"hash":"0x1","blockHash":null,"blockNumber":null}', 'no'],
    ['eth_getTransactionByHash', `["${T}"]`, '{"hash":"0x1"}', 'no'],
    ['trace_transaction', `["${T}"]`, '[]', 'no'],
    ['eth_getBlockReceipts', '["0x5a"]', `[${receipt(90, 'b')}]`, 'no'],
  ])('%s %s', (method, params, answer, expected) => {
    expect(fate(method, params, answer)).toBe(expected);
  });

  it('beyond the window is believed of a final block, by a node that agrees with the chain above it', () => {
    const view = new HandView(300, 200);
    view.forgetBelow(150);
    expect(fate('eth_getTransactionReceipt', `["${T}"]`, receipt(20), { view })).toBe('now block finalized 20');
    expect(fate('eth_getTransactionReceipt', `["${T}"]`, receipt(20), { view, evidence: { agreedAfter: 10 } })).toBe('no');
    const open = new HandView(300, 50);
    open.forgetBelow(150);
    expect(fate('eth_getTransactionReceipt', `["${T}"]`, receipt(100), { view: open })).toBe('no');
  });
});

describe('an answer that tells none', () => {
  it.each<[string, string, string, Partial<Evidence>, string]>([
    ['eth_getBalance', `["${A}","0x5a"]`, '"0x0"', { byHash: true, agreedBefore: -1 }, 'now block unfinalized 90'],
    ['eth_getBalance', `["${A}","0x5a"]`, '"0x0"', {}, 'confirm block unfinalized 90'],
    ['eth_getBalance', `["${A}","0x5a"]`, '"0x0"', { agreedBefore: 89 }, 'no'],
    ['eth_getBalance', `["${A}","0xa"]`, '"0x0"', {}, 'now block finalized 10'],
    ['eth_getBalance', `["${A}","0xa"]`, '"0x0"', { agreedAfter: 9 }, 'no'],
    ['eth_getBalance', `["${A}","0x65"]`, '"0x0"', {}, 'no'],
    ['eth_getBalance', `["${A}",{"blockHash":"${hashOf(90)}"}]`, '"0x0"', { agreedBefore: -1 }, 'now block unfinalized 90'],
    ['eth_getBalance', `["${A}",{"blockHash":"${hashOf(90, 'b')}"}]`, '"0x0"', {}, 'no'],
    ['eth_getCode', `["${A}","latest"]`, '"0x"', { byHash: true }, 'now block unfinalized 100'],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"0x5a"}]', `[${receipt(2)},${receipt(90)}]`, {}, 'confirm block unfinalized 90'],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"0x5a"}]', '[]', { agreedBefore: 80 }, 'no'],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"0xa"}]', '[]', {}, 'now block finalized 10'],
    ['eth_getLogs', `[{"blockHash":"${hashOf(90)}"}]`, '[]', {}, 'now block unfinalized 90'],
    ['eth_getBlockReceipts', '["0x5a"]', '[]', {}, 'confirm block unfinalized 90'],
    ['eth_chainId', '', '"0x1"', {}, 'now static static'],
    // what is about the moment, and what is not there yet, holds until the next head
    ['eth_gasPrice', '', '"0x5"', {}, 'confirm head head 100'],
    ['eth_gasPrice', '', '"0x5"', { agreedBefore: 99 }, 'no'],
    ['erigon_blockNumber', '', '"0x64"', {}, 'confirm head head 100'],
    ['erigon_blockNumber', '', '"0x63"', {}, 'no'],
    ['eth_getTransactionReceipt', `["${T}"]`, 'null', {}, 'confirm head head 100'],
    ['eth_getTransactionReceipt', `["${T}"]`, 'null', { agreedBefore: 99 }, 'no'],
    ['eth_getTransactionReceipt', `["${T}"]`, 'null', { head: { number: 99, hash: hashOf(99) } }, 'no'],
    ['eth_getBlockByNumber', '["0xfff",false]', 'null', {}, 'confirm head head 100'],
    // the pool gets transactions without a new head
    ['eth_getTransactionByHash', `["${T}"]`, 'null', {}, 'no'],
    ['eth_getTransactionBySenderAndNonce', `["${A}","0x1"]`, 'null', {}, 'no'],
  ])('%s %s %s %j', (method, params, answer, evidence, expected) => {
    expect(fate(method, params, answer, { evidence })).toBe(expected);
  });

  it('is not stored when the chain has moved on to another branch meanwhile', () => {
    const view = new HandView();
    const call = asked('eth_getBalance', `["${A}","0x5a"]`, view);
    const body = Buffer.from('"0x0"');
    view.reorg(80, 'b');
    const verdict = admit(call, { body, start: 0, end: 5, isNull: false, isError: false }, { byHash: true, agreedBefore: 100, agreedAfter: 100, head: view.head }, view);
    expect(verdict.when).toBe('no');
  });

  it('may be a revert at a fixed block', () => {
    expect(fate('eth_call', `[{"to":"${A}"},"0x5a"]`, '{"code":3,"message":"execution reverted"}', { isError: true })).toBe('confirm block unfinalized 90');
    expect(fate('eth_gasPrice', '', '{"code":3,"message":"execution reverted"}', { isError: true })).toBe('no');
  });
});

describe('a request is worded for its block', () => {
  const view = new HandView();
  it.each([
    ['eth_getBalance', `["${A}","latest"]`, `["${A}",{"blockHash":"${hashOf(100)}"}]`],
    ['eth_call', `[{"to":"${A}"}]`, `[{"to":"${A}"},{"blockHash":"${hashOf(100)}"}]`],
    ['eth_call', `[ {"to":"${A}"} , null , {} ]`, `[ {"to":"${A}"} , {"blockHash":"${hashOf(100)}"} , {} ]`],
    ['eth_getStorageAt', `["${A}","0x0","0x5a"]`, `["${A}","0x0",{"blockHash":"${hashOf(90)}"}]`],
  ])('by hash: %s %s', (method, params, expected) => {
    expect(paramsByHash(asked(method, params, view), params)).toBe(expected);
  });

  it.each([
    ['eth_feeHistory', '["0x2","latest",[]]', '["0x2","0x64",[]]'],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":"finalized"}]', '[{"fromBlock":"0x1","toBlock":"0x32"}]'],
    ['eth_getLogs', '[{"fromBlock":"latest"}]', '[{"toBlock":"0x64","fromBlock":"0x64"}]'],
    ['eth_getLogs', '[{"fromBlock":"0x1","toBlock":null}]', '[{"fromBlock":"0x1","toBlock":"0x64"}]'],
  ])('by number: %s %s', (method, params, expected) => {
    expect(paramsByNumber(asked(method, params, view), params)).toBe(expected);
  });
});
