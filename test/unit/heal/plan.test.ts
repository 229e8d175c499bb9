import { describe, expect, it } from 'vitest';
import type { ChainFacts, NodeFacts } from '../../../src/heal/facts.ts';
import { BLANK } from '../../../src/heal/memory.ts';
import type { NodeMemory } from '../../../src/heal/memory.ts';
import { newOperation } from '../../../src/heal/operation.ts';
import type { Operation } from '../../../src/heal/operation.ts';
import { backoffMs, planChain } from '../../../src/heal/plan.ts';
import type { ChainPlan } from '../../../src/heal/plan.ts';
import { NOW, wellNode as node } from '../../help/heal.ts';
import { OPTIONS } from '../../sim/heal/cluster.ts';

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

  const cordoned = { state: 'cordoned', cordoned: true, inFlight: 0, configuredWeight: 100, assignedWeight: 100, why: '' } as const;
  const ramping = { ...cordoned, state: 'ramping', cordoned: false, assignedWeight: 5 } as const;
  const look = (change: Partial<NodeFacts>, memory: NodeMemory): ChainPlan['nodes'][number] | undefined => plan(chain([node('a', change), node('b')]), { a: memory }).nodes[0];
  /** A new run on its way back, of an operation that began on run 0. */
  const comingBack = (change: Partial<Operation> = {}): Operation => ({ ...newOperation('restart', { verdict: 'unresponsive', why: '', startedAtMs: NOW - 60_000, incarnation: '0', snapshotId: null, keepCordon: false, hold: true }, 'a'), rampIndex: 0, rampedAtMs: NOW, ...change });

  it('is our own cordon from when it is decided until it is seen gone', () => {
    const letGo = look({ edge: { ...cordoned, assignedWeight: 1 } }, { ...BLANK, heldOut: true, operation: comingBack() });
    expect(letGo).toMatchObject({ step: { kind: 'uncordon' }, memory: { heldOut: true } });
    expect(look({ edge: null }, { ...BLANK, heldOut: true })?.memory.heldOut).toBe(true);
    const gone = look({}, { ...BLANK, heldOut: true })?.memory;
    expect(gone).toMatchObject({ heldOut: false, operation: null });
    // what an operator cordons after that is the operator's
    expect(look({ edge: cordoned }, gone ?? BLANK)).toMatchObject({ step: null, memory: { operation: null } });
  });

  it('is a cordon to be taken back also where it recovered in time and the uncordon was lost', () => {
    const recovered = look({ edge: cordoned }, { ...BLANK, heldOut: true, operation: comingBack({ incarnation: '1', rampIndex: -1 }) });
    expect(recovered).toMatchObject({ step: { kind: 'uncordon' }, ended: { outcome: 'dropped' } });
    expect(look({ edge: cordoned }, recovered?.memory ?? BLANK)?.memory.operation?.kind).toBe('readmit');
    expect(look({}, recovered?.memory ?? BLANK)?.memory.operation).toBeNull();
  });

  it('is the part of its weight that it had when it fell ill on its way back', () => {
    const lagging = { edge: ramping, rpc: { ...node('a').rpc, headNumber: 90 } };
    const ill = look(lagging, { ...BLANK, partWeight: true, operation: comingBack({ rampIndex: 1 }) });
    expect(ill).toMatchObject({ ended: { outcome: 'failed' }, memory: { operation: null, partWeight: true } });
    expect(look({ edge: ramping }, ill?.memory ?? BLANK)?.memory.operation?.kind).toBe('readmit');
    // an operator's weight, and an operator's cordon, are nothing of ours
    expect(look({ edge: ramping }, BLANK)?.memory.operation).toBeNull();
    expect(look({ edge: { ...cordoned, assignedWeight: 5 } }, ill?.memory ?? BLANK)?.memory.operation).toBeNull();
    expect(look({}, ill?.memory ?? BLANK)?.memory).toMatchObject({ operation: null, partWeight: false });
  });

  it('is not known while the gateway cannot be asked: its way back is not over', () => {
    const passed = comingBack({ kind: 'start', hold: false, rampIndex: -1, probation: { sinceMs: NOW - 9000, goodSamples: 9, sampledAtMs: NOW - 1000, fromNumber: 90 } });
    const made = look({ edge: null }, { ...BLANK, operation: passed });
    expect(made).toMatchObject({ step: null, ended: null });
    expect(made?.why).toContain('the edge cannot be asked');
    expect(look({ edge: cordoned }, { ...BLANK, operation: passed })?.step).toEqual({ kind: 'weight', percent: 1 });
    expect(look({}, { ...BLANK, operation: passed })?.ended).toMatchObject({ outcome: 'done' });
  });
});

describe('a step that the gateway refuses', () => {
  const REFUSED = { step: 'cordon', count: 3, why: 'the gateway answered 401' } as const;
  const about = { verdict: 'processGone', why: 'it ended', startedAtMs: NOW - 20_000, incarnation: '1', snapshotId: null, keepCordon: false, hold: true } as const;
  const ended = { state: 'exited', incarnation: '1', startedAtMs: NOW - 600_000, endedAtMs: NOW - 20_000, exitCode: 1, signal: null, oomKilled: false } as const;
  const going = (kind: Operation['kind'], failure: Operation['failure']): NodeMemory => ({ ...ILL, operation: { ...newOperation(kind, about, 'a'), failure } });

  it('does not keep a node that ended from being started', () => {
    const facts = chain([node('a', { process: ended }), node('b')]);
    expect(steps(plan(facts, { a: going('start', { ...REFUSED, count: 2 }) }))).toEqual(['a cordon']);
    const made = plan(facts, { a: going('start', REFUSED) });
    expect(steps(made)).toEqual(['a start']);
    expect(made.nodes[0]?.memory.operation?.hold).toBe(false);
    expect(made.nodes[0]?.why).toContain('401');
  });

  it('is told to a human when it takes long, and tried on', () => {
    const facts = chain([hanging('a'), node('b'), node('c')]);
    const first = plan(facts, { a: going('restart', REFUSED) });
    expect(steps(first)).toEqual(['a cordon']);
    const since = first.nodes[0]?.memory as NodeMemory;
    expect(since.blockedSinceMs).toBe(NOW);
    const late = plan(facts, { a: { ...since, blockedSinceMs: NOW - OPTIONS.patienceMs } });
    expect(steps(late)).toEqual(['a callHuman']);
    expect(late.nodes[0]?.why).toContain('a human is called: cordon fails again and again: the gateway answered 401');
    expect(steps(plan(facts, { a: late.nodes[0]?.memory as NodeMemory }))).toEqual(['a cordon']);
  });
});

it('doubles the wait up to the most, between half of it and all', () => {
  const waits = [0, 1, 2, 3, 10].map((tried) => backoffMs(tried, 1, { ...OPTIONS, backoffMinMs: 10, backoffMaxMs: 60 }));
  expect(waits).toEqual([0, 10, 20, 40, 60]);
  expect(backoffMs(2, 0, { ...OPTIONS, backoffMinMs: 10, backoffMaxMs: 60 })).toBe(10);
});

describe('what an operation left that is over', () => {
  const data = (change: object) => ({ damage: null, staged: null, swapped: null, kept: null, ...change });
  const left = data({ isLittered: true });

  it('goes, from a node that is well and from one that nothing is done for', () => {
    expect(steps(plan(chain([node('a', { data: left }), node('b')])))).toEqual(['a discard']);
    expect(steps(plan(chain([node('a', { data: left, wish: 'stopped', process: { ...node('a').process, state: 'exited' } }), node('b')])))).toEqual(['a discard']);
    expect(steps(plan(chain([node('a', { data: left, paused: true }), node('b')])))).toEqual([]);
  });

  it('waits for what the node itself needs, and for an operation under way', () => {
    const gone = node('a', { data: left, process: { ...node('a').process, state: 'exited', endedAtMs: NOW - 1000, exitCode: 1 } });
    expect(steps(plan(chain([gone, node('b'), node('c')])))).toEqual(['a cordon']);
    const operation = newOperation('restart', { verdict: 'unresponsive', why: '', startedAtMs: NOW, incarnation: '0', snapshotId: null, keepCordon: false, hold: true }, 'a');
    const made = plan(chain([node('a', { data: left }), node('b')]), { a: { ...BLANK, operation } });
    expect(steps(made)).not.toContain('a discard');
  });

  it('old data goes only where the node serves on what took its place', () => {
    const kept = data({ kept: 'restore-a-1', swapped: 'restore-a-1' });
    expect(steps(plan(chain([node('a', { data: kept }), node('b')])))).toEqual(['a discard']);
    const out = { ...node('a').edge!, state: 'cordoned', cordoned: true } as const;
    expect(steps(plan(chain([node('a', { data: kept, edge: out }), node('b')])))).toEqual([]);
    expect(steps(plan(chain([node('a', { data: { ...kept, isLittered: true }, edge: out }), node('b')])))).toEqual([]);
  });
});
