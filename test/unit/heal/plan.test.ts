import { describe, expect, it } from 'vitest';
import type { ChainFacts, NodeFacts } from '../../../src/heal/facts.ts';
import { BLANK } from '../../../src/heal/memory.ts';
import type { NodeMemory } from '../../../src/heal/memory.ts';
import { backoffMs, planChain } from '../../../src/heal/plan.ts';
import type { ChainPlan } from '../../../src/heal/plan.ts';
import { OPTIONS } from '../../sim/heal/cluster.ts';

const NOW = 10_000_000;

function node(name: string, change: Partial<NodeFacts> = {}): NodeFacts {
  return {
    name,
    wish: 'running',
    paused: false,
    process: { state: 'running', incarnation: '1', startedAtMs: NOW - 600_000, endedAtMs: -1, exitCode: null, signal: null, oomKilled: false },
    log: null,
    rpc: { askedAtMs: NOW, answeredAtMs: NOW, headNumber: 100, headHash: '', headMovedAtMs: NOW, syncing: false, peers: 3, forkedAt: -1 },
    edge: { state: 'serving', cordoned: false, inFlight: 0, configuredWeight: 100, assignedWeight: 100, why: '' },
    disk: { freeBytes: 1e12, totalBytes: 2e12 },
    data: { damage: null, staged: null, swapped: null, kept: null },
    canResync: false,
    ...change,
  };
}

/** It runs and the edge still serves by it, but it has not answered us for a minute. */
const hanging = (name: string): NodeFacts => {
  const sound = node(name);
  return { ...sound, rpc: { ...sound.rpc, answeredAtMs: NOW - 60_000 } };
};

const chain = (nodes: readonly NodeFacts[], change: Partial<ChainFacts> = {}): ChainFacts => ({ name: 'c', nodes, trustedNumber: 100, trustedMovedAtMs: NOW, blockTimeMs: 2000, networkFault: null, snapshot: null, paused: false, ...change });

const ILL: NodeMemory = { ...BLANK, verdict: 'unresponsive', verdictSinceMs: NOW - 50_000 };

function plan(facts: ChainFacts, memory: Record<string, NodeMemory> = {}, options: Partial<typeof OPTIONS> = {}): ChainPlan {
  return planChain({ chain: facts, memories: new Map(Object.entries(memory)), options: { ...OPTIONS, ...options }, nowMs: NOW, jitter: () => 0.5 });
}

const steps = (made: ChainPlan): string[] => made.nodes.filter(({ step }) => step !== null).map(({ node: name, step }) => `${name} ${step?.kind}`);

describe('guards', () => {
  it('never goes below the nodes that must stay in service', () => {
    const facts = chain([hanging('a'), node('b'), node('c')]);
    const held = plan(facts, { a: ILL }, { minInService: 3 });
    expect(steps(held)).toEqual([]);
    expect(held.nodes[0]?.why).toContain('2 would stay in service, 3 wanted');
    expect(steps(plan(facts, { a: ILL }, { minInService: 2 }))).toEqual(['a cordon']);
  });

  it('counts what the same plan takes out already', () => {
    const facts = chain([hanging('a'), hanging('b'), node('c'), node('d'), node('e')]);
    const loose = { minInService: 4, maxUnavailable: 2, stormPercent: 100 };
    expect(steps(plan(facts, { a: ILL, b: ILL }, loose))).toEqual(['a cordon']);
    expect(steps(plan(facts, { a: ILL, b: ILL }, { ...loose, minInService: 3 }))).toEqual(['a cordon', 'b cordon']);
    expect(steps(plan(facts, { a: ILL, b: ILL }, { ...loose, minInService: 3, maxUnavailable: 1 }))).toEqual(['a cordon']);
  });

  it('does not stop a node that answers while the edge cannot be asked', () => {
    const sound = node('a', { edge: null });
    const lost = chain([{ ...sound, rpc: { ...sound.rpc, forkedAt: 90 } }, node('b', { edge: null })]);
    const made = plan(lost, { a: { ...ILL, verdict: 'forked' } }, { minInService: 0 });
    expect(steps(made)).toEqual([]);
    expect(made.nodes[0]?.why).toContain('the edge cannot be asked');
    expect(steps(plan(chain([{ ...hanging('a'), edge: null }, node('b', { edge: null })]), { a: ILL }))).toEqual(['a stop']);
  });

  it('restores only where the space is there', () => {
    const damaged = node('a', { data: { damage: 'state root differs at block 7', staged: null, swapped: null, kept: null }, edge: { state: 'ejected', cordoned: false, inFlight: 0, configuredWeight: 100, assignedWeight: 100, why: '' } });
    const snapshot = { id: 's', headNumber: 50, sizeBytes: 1000, restoreMs: 1000 };
    const corrupt = { a: { ...ILL, verdict: 'dataCorrupt' as const } };
    expect(steps(plan(chain([damaged, node('b')], { snapshot }), corrupt))).toEqual(['a stage']);
    const full = { ...damaged, disk: { freeBytes: 1050, totalBytes: 2000 } };
    expect(plan(chain([full, node('b')], { snapshot }), corrupt, { minFreeBytes: 1 }).nodes[0]?.why).toContain('1050 bytes free, 1100 wanted');
  });
});

describe('what a node is held by', () => {
  it('is let back when it is well but held out by an operation that failed', () => {
    const out = node('a', { edge: { state: 'cordoned', cordoned: true, inFlight: 0, configuredWeight: 100, assignedWeight: 100, why: '' } });
    const made = plan(chain([out, node('b')]), { a: { ...BLANK, heldOut: true } });
    expect(made.nodes[0]?.memory.operation?.kind).toBe('readmit');
    expect(plan(chain([out, node('b')])).nodes[0]?.memory.operation).toBeNull();
  });

  it('stays cordoned by an operator through a restart', () => {
    const cordoned = { state: 'cordoned', cordoned: true, inFlight: 0, configuredWeight: 100, assignedWeight: 100, why: '' } as const;
    const made = plan(chain([{ ...hanging('a'), edge: cordoned }, node('b')]), { a: ILL });
    expect(steps(made)).toEqual(['a stop']);
    expect(made.nodes[0]?.memory.operation?.keepCordon).toBe(true);
  });
});

it('doubles the wait up to the most, between half of it and all', () => {
  const waits = [0, 1, 2, 3, 10].map((tried) => backoffMs(tried, 1, { ...OPTIONS, backoffMinMs: 10, backoffMaxMs: 60 }));
  expect(waits).toEqual([0, 10, 20, 40, 60]);
  expect(backoffMs(2, 0, { ...OPTIONS, backoffMinMs: 10, backoffMaxMs: 60 })).toBe(10);
});
