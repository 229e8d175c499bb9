import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchAssembly } from '../../../src/rpc/batch.ts';
import { resultEnvelope } from '../../../src/rpc/envelope.ts';
import { scanBody } from '../../../src/rpc/scan.ts';
import type { ScannedCall } from '../../../src/rpc/scan.ts';

const LIMITS = { maxDepth: 64, maxBatchItems: 1000, maxMethodBytes: 128 };

function callsOf(text: string): readonly ScannedCall[] {
  const scanned = scanBody(Buffer.from(text), LIMITS);
  if (scanned.kind !== 'batch') throw new Error(`not a batch: ${text}`);
  return scanned.calls;
}

const call = (id: number) => `{"jsonrpc":"2.0","id":${id},"method":"m"}`;
const NOTICE = '{"jsonrpc":"2.0","method":"m"}';
const answer = (id: number) => resultEnvelope(String(id), Buffer.from(String(id * 10)));
const read = (assembly: BatchAssembly) => JSON.parse(assembly.body()?.toString() ?? '"nothing"');

describe('BatchAssembly', () => {
  it('answers in the order of the entries, whatever the order of the answers', () => {
    const assembly = new BatchAssembly(callsOf(`[${call(1)},${call(2)},7,${NOTICE},${call(3)}]`), 1 << 20);
    expect([assembly.take(), assembly.take(), assembly.take(), assembly.take(), assembly.take(), assembly.take()]).toEqual([0, 1, 3, 4, -1, -1]);
    expect([assembly.settle(4, answer(3)), assembly.settle(0, answer(1)), assembly.settle(3, null), assembly.done]).toEqual([false, false, false, false]);
    expect(assembly.settle(1, answer(2))).toBe(true);
    expect(assembly.done).toBe(true);
    expect(read(assembly)).toEqual([
      { jsonrpc: '2.0', id: 1, result: 10 },
      { jsonrpc: '2.0', id: 2, result: 20 },
      { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'invalid request: not an object' } },
      { jsonrpc: '2.0', id: 3, result: 30 },
    ]);
  });

  it('has nothing to say to notifications alone, even if a node answered them', () => {
    const assembly = new BatchAssembly(callsOf(`[${NOTICE},${NOTICE}]`), 1 << 20);
    assembly.settle(0, answer(1));
    expect(assembly.settle(1, null)).toBe(true);
    expect(assembly.body()).toBeNull();
  });

  it('is done at once when every entry is faulty', () => {
    const assembly = new BatchAssembly(callsOf('[1,{"id":"é","method":"m"}]'), 1 << 20);
    expect([assembly.done, assembly.take()]).toEqual([true, -1]);
    expect(read(assembly).map((entry: { id: unknown }) => entry.id)).toEqual([null, 'é']);
  });

  it('lets the first answer stand and minds no position that is not there', () => {
    const assembly = new BatchAssembly(callsOf(`[${call(1)},${call(2)}]`), 1 << 20);
    assembly.settle(0, answer(1));
    expect([assembly.settle(0, answer(9)), assembly.settle(5, answer(9)), assembly.settle(-1, answer(9))]).toEqual([false, false, false]);
    assembly.settle(1, null);
    expect(read(assembly)).toEqual([{ jsonrpc: '2.0', id: 1, result: 10 }, { jsonrpc: '2.0', id: 2, error: { code: -32603, message: 'internal error' } }]);
  });

  it('replaces what comes when the limit of all answers is reached', () => {
    const large = (id: number) => resultEnvelope(String(id), Buffer.from(`"${'x'.repeat(500)}"`));
    const assembly = new BatchAssembly(callsOf(`[${call(1)},${call(2)},${call(3)}]`), 1100);
    assembly.settle(2, large(3));
    assembly.settle(0, large(1));
    assembly.settle(1, large(2));
    expect(read(assembly).map((entry: { error?: { code: number } }) => entry.error?.code ?? 'ok')).toEqual(['ok', -32005, 'ok']);
  });

  it('gives one answer per entry with an id, in order, for any arrangement', () => {
    const entry = fc.constantFrom('call', 'notice', 'bad');
    fc.assert(fc.property(fc.array(entry, { minLength: 1, maxLength: 20, size: 'max' }), fc.infiniteStream(fc.nat(1000)), (kinds, order) => {
      const text = kinds.map((kind, k) => (kind === 'call' ? call(k) : kind === 'notice' ? NOTICE : `{"id":${k}}`)).join(',');
      const assembly = new BatchAssembly(callsOf(`[${text}]`), 1 << 20);
      const taken: { position: number; rank: number }[] = [];
      for (let position = assembly.take(); position >= 0; position = assembly.take()) taken.push({ position, rank: order.next().value as number });
      for (const { position } of taken.sort((a, b) => a.rank - b.rank)) assembly.settle(position, answer(position));
      expect(assembly.done).toBe(true);
      const expected = kinds.flatMap((kind, k) => (kind === 'notice' ? [] : [k]));
      expect(expected.length === 0 ? assembly.body() : read(assembly).map((e: { id: number }) => e.id)).toEqual(expected.length === 0 ? null : expected);
    }));
  });
});
