import { expect, it } from 'vitest';
import { AskMemo } from '../../../src/cache/askMemo.ts';
import { KeyReader } from '../../../src/cache/key.ts';
import { planOf } from '../../../src/cache/plan.ts';
import { askOf } from '../../../src/cache/rule.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import { HandView } from '../../help/chainView.ts';

const catalog = evmCatalog();
const planFor = (method: string) => planOf(catalog.find(method) ?? catalog.unknownSpec);

it('remembers a call by its method and bytes, at one view only, and not without end', () => {
  const memo = new AskMemo(4096);
  const [now, later] = [new HandView(), new HandView()];
  const [balance, code] = [planFor('eth_getBalance'), planFor('eth_getCode')];
  const params = (n: number): string => `["0x${'ab'.repeat(20)}","0x${n.toString(16)}"]`;
  const ask = askOf(balance, params(1), now, new KeyReader());
  memo.put(ask, params(1), now);
  expect(memo.get(balance, params(1), now)).toBe(ask);
  expect(memo.get(code, params(1), now)).toBeUndefined();
  expect(memo.get(balance, params(2), now)).toBeUndefined();
  expect(memo.get(balance, params(1), later)).toBeUndefined();
  for (let n = 2; n < 10_000; n++) memo.put(ask, params(n), now);
  expect(memo.get(balance, params(1), now)).toBeUndefined();
  expect(memo.get(balance, params(9999), now)).toBe(ask);
  memo.put(ask, params(3), later);
  expect(memo.get(balance, params(9999), later)).toBeUndefined();
});
