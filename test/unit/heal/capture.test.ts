import { describe, expect, it } from 'vitest';
import type { CaptureWish, ChainFacts, NodeFacts } from '../../../src/heal/facts.ts';
import type { NodeMemory } from '../../../src/heal/memory.ts';
import { type ChainPlan, planChain } from '../../../src/heal/plan.ts';
import { NOW, wellNode } from '../../help/heal.ts';
import { OPTIONS } from '../../sim/heal/cluster.ts';

const WISH: CaptureWish = { node: null, kind: 'incremental', why: 'a snapshot is due', lastSource: null };

const node = (name: string, change: Partial<NodeFacts> = {}): NodeFacts => wellNode(name, { copy: { isLive: false, copied: null, failed: null }, ...change });
const cordoned = { state: 'cordoned', cordoned: true, inFlight: 0, configuredWeight: 100, assignedWeight: 100, why: '' } as const;
const plan = (nodes: readonly NodeFacts[], wish: Partial<CaptureWish> = {}, memory: Record<string, NodeMemory> = {}): ChainPlan => {
  const chain: ChainFacts = { name: 'c', nodes, trustedNumber: 100, trustedMovedAtMs: NOW, blockTimeMs: 2000, networkFault: null, snapshot: null, paused: false, capture: { ...WISH, ...wish } };
  return planChain({ chain, memories: new Map(Object.entries(memory)), options: OPTIONS, nowMs: NOW, jitter: () => 0.5 });
};
const steps = (made: ChainPlan): string[] => made.nodes.flatMap(({ node: name, step }) => (step === null ? [] : [`${name} ${step.kind}`]));

describe('the source of a snapshot', () => {
  it('is rather not that of the last one, then the one with the fewest calls', () => {
    const busy = node('b', { edge: { ...node('b').edge!, inFlight: 9 } });
    expect(steps(plan([node('a'), busy, node('c')], { lastSource: 'a' }))).toEqual(['c cordon']);
    expect(steps(plan([node('a'), busy], { lastSource: 'a' }))).toEqual(['b cordon']);
  });

  it.each<[string, Partial<NodeFacts>, string]>([
    ['a syncing one', { rpc: { ...node('a').rpc, syncing: true } }, 'it is syncing'],
    ['one on probation', { edge: { ...node('a').edge!, state: 'probation' } }, 'at the gateway it is probation'],
    ['one that is not at its full weight', { edge: { ...node('a').edge!, assignedWeight: 25 } }, 'it is not at its full weight'],
    ['a paused one', { paused: true }, 'healing is paused'],
    ['one that the gateway does not know', { edge: null }, 'the gateway does not say how it serves'],
  ])('is not %s', (_, change, why) => {
    const made = plan([node('a', change), node('b'), node('c')], { node: 'a' });
    expect([steps(made), made.captureWaits]).toEqual([[], `a: ${why}`]);
  });

  it('is none where the others could not bear it', () => {
    const made = plan([node('a')], { node: 'a' });
    expect([steps(made), made.captureWaits]).toEqual([[], expect.stringContaining('0 would stay in service, 1 wanted')]);
  });
});

describe('a capture under way', () => {
  const begun = plan([node('a'), node('b'), node('c')], { node: 'a' }).nodes[0]!.memory;
  const next = (change: Partial<NodeFacts>, others = [node('b'), node('c')]): ChainPlan => plan([node('a', { edge: cordoned, ...change }), ...others], {}, { a: begun });
  const ended = (exit: Partial<NodeFacts['process']>): Partial<NodeFacts> => ({ process: { ...node('a').process, state: 'exited', endedAtMs: NOW, ...exit } });

  it('stops the node, copies, and starts it; a live one is asked for its state and goes on', () => {
    expect(steps(next({}))).toEqual(['a stop']);
    expect(steps(next(ended({ exitCode: 0 })))).toEqual(['a copy']);
    expect(steps(next({ ...ended({ exitCode: 0 }), copy: { isLive: false, copied: begun.operation?.id ?? '', failed: null } }))).toEqual(['a start']);
    expect(steps(next({ copy: { isLive: true, copied: null, failed: null } }))).toEqual(['a copy']);
  });

  it.each([['killed', { signal: 'SIGKILL' }], ['crashed', { signal: 'SIGSEGV' }], ['ended by an error', { exitCode: 1 }], ['out of memory', { oomKilled: true }]])('takes nothing of a run that was %s', (_, exit) => {
    const made = next(ended(exit));
    expect(made.nodes[0]?.ended).toMatchObject({ outcome: 'failed' });
    expect(steps(made)).toEqual([]);
  });

  it('is given up where another node has gone: the node goes back at once', () => {
    const gone = node('b', { edge: { ...cordoned, state: 'down', cordoned: false } });
    const made = next({ edge: node('a').edge }, [gone]);
    expect(made.nodes[0]).toMatchObject({ step: null, ended: { outcome: 'dropped' }, memory: { operation: null } });
  });

  it('brings the node back where there could be no copy', () => {
    const made = next({ ...ended({ exitCode: 0 }), copy: { isLive: false, copied: null, failed: { operationId: begun.operation?.id ?? '', why: 'the disk is full' } } });
    expect(steps(made)).toEqual(['a start']);
  });
});
