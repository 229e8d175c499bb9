import { expect, it } from 'vitest';
import type { Entry } from '../../../src/cache/entry.ts';
import { KeyReader } from '../../../src/cache/key.ts';
import { planOf } from '../../../src/cache/plan.ts';
import { askOf } from '../../../src/cache/rule.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import { DiskTier } from '../../../src/gateway/diskTier.ts';
import type { SecondTier } from '../../../src/gateway/secondTier.ts';
import type { SideCalls } from '../../../src/gateway/sideCalls.ts';
import { HandView, hashOf } from '../../help/chainView.ts';

const catalog = evmCatalog();

/** A second tier in memory. */
class MemoryTier implements SecondTier {
  up = true;
  readonly answers = new Map<string, Entry>();
  readonly notes = new Map<string, string>();
  get(space: string, key: string): Entry | null {
    return this.answers.get(`${space} ${key}`) ?? null;
  }
  put(space: string, entry: Entry): boolean {
    this.answers.set(`${space} ${entry.key}`, entry);
    return true;
  }
  note(name: string): string | null {
    return this.notes.get(name) ?? null;
  }
  setNote(name: string, text: string): void {
    this.notes.set(name, text);
  }
  flush(space: string, { fromNumber = -1 }: { readonly fromNumber?: number }): Promise<number> {
    let gone = 0;
    for (const [key, entry] of this.answers) if (key.startsWith(`${space} `) && entry.number >= fromNumber && this.answers.delete(key)) gone++;
    return Promise.resolve(gone);
  }
}

const silent = { onHit: () => undefined, onMiss: () => undefined, onStore: () => undefined, onGone: () => undefined };

/** A chain whose nodes have these blocks. @param branchAt the branch of each height */
function started(tier: MemoryTier, view: HandView, branchAt: (number: number) => string = () => 'a') {
  let nowMs = 0;
  const calls = {
    ask: (_kind: string, _index: number, [, params]: readonly [string, string], done: (reply: object) => void) => {
      const number = Number((JSON.parse(params) as [string])[0]);
      const body = Buffer.from(number > (view.head?.number ?? -1) ? 'null' : `{"number":"0x${number.toString(16)}","hash":"${hashOf(number, branchAt(number))}"}`);
      done({ kind: 'result', body, start: 0, end: body.length });
    },
  } as unknown as SideCalls;
  const disk = new DiskTier({ name: 'main', tier, tally: silent, view, calls, clock: { nowMs: () => nowMs, wallMs: () => nowMs }, chainId: () => 1, node: () => 0 });
  return { disk, pass: (ms: number) => { nowMs += ms; disk.look(); } };
}

const balance = (view: HandView, block: number) => askOf(planOf(catalog.find('eth_getBalance') ?? catalog.unknownSpec), `["0x${'ab'.repeat(20)}","0x${block.toString(16)}"]`, view, new KeyReader());
const answer = (view: HandView, block: number): Entry => {
  const { key, hash } = balance(view, block);
  return { key, value: Buffer.from('"0x1"'), isError: false, bond: 'block', number: block, hash, askedMs: 0, class: 'finalized' };
};
const unborn = (): HandView => Object.assign(new HandView(0, -1), { head: null });

/** A tier that holds the answer at height 10 of a chain that was final up to 50. */
function filled(): MemoryTier {
  const tier = new MemoryTier();
  const view = new HandView();
  const { disk, pass } = started(tier, view);
  disk.put(answer(view, 10)); // before the chain is known: kept until it is
  pass(2000);
  pass(2000);
  expect(disk.get(balance(view, 10))).not.toBeNull();
  return tier;
}

it('the same chain is known again by its genesis and the block that was final', () => {
  const view = new HandView();
  const { disk, pass } = started(filled(), view);
  expect(disk.get(balance(view, 10))).toBeNull(); // not before a node was asked
  pass(2000);
  expect(disk.get(balance(view, 10))).not.toBeNull();
});

it('before any node has answered it is taken for what it was', () => {
  const view = unborn();
  const { disk } = started(filled(), view);
  expect(disk.past?.finalized).toEqual({ number: 50, hash: hashOf(50) });
  expect(disk.get(balance(new HandView(), 10))).not.toBeNull();
});

it('another chain with the same genesis meets nothing, and neither does one with another', () => {
  for (const branchAt of [(number: number) => (number === 0 ? 'a' : 'z'), () => 'y']) {
    const tier = filled();
    const view = new HandView();
    const { disk, pass } = started(tier, view, branchAt);
    pass(2000);
    expect(disk.get(balance(view, 10))).toBeNull();
  }
});

it('a chain that has not come that far yet is waited for', () => {
  const view = new HandView(20, -1);
  const { disk, pass } = started(filled(), view);
  pass(2000);
  expect(disk.get(balance(new HandView(), 10))).toBeNull();
  while ((view.head?.number ?? 0) < 60) view.grow();
  pass(3000);
  expect(disk.get(balance(new HandView(), 10))).not.toBeNull();
});

it('a broken finality drops what was stored above it', () => {
  const tier = new MemoryTier();
  const view = new HandView();
  const { disk, pass } = started(tier, view);
  pass(2000);
  for (const block of [10, 30, 45]) disk.put(answer(view, block));
  view.reorg(31, 'b');
  view.finalized = { number: 30, hash: hashOf(30) };
  pass(2000);
  expect([...tier.answers.values()].map(({ number }) => number)).toEqual([10, 30]);
});
