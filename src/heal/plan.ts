import { advance } from './advance.ts';
import { Capacity } from './capacity.ts';
import type { ChainFacts, NodeFacts } from './facts.ts';
import { guardsOf, lossGuards, PASSING, refusal } from './guards.ts';
import type { Guard } from './guards.ts';
import { chooseRung } from './ladder.ts';
import { BLANK, withAttempt, withEdge, withHelp } from './memory.ts';
import type { NodeMemory } from './memory.ts';
import { lowers, newOperation } from './operation.ts';
import { chooseSource, type SourceChoice } from './source.ts';
import type { Operation, OperationKind, Step } from './operation.ts';
import type { HealOptions } from './options.ts';
import { DO_NOTHING } from './ailment.ts';
import { refusedStep } from './undo.ts';
import { chainVerdict, diagnose } from './verdict.ts';
import type { Rung, Verdict } from './ailment.ts';

/** What was decided for one node, with the reasons. */
export interface NodePlan {
  readonly node: string;
  readonly verdict: Verdict;
  readonly rung: Rung | null;
  readonly step: Step | null;
  /** An operation that ended with this look. */
  readonly ended: { readonly operation: Operation; readonly outcome: 'done' | 'failed' | 'dropped' } | null;
  readonly guards: readonly Guard[];
  /** One sentence. */
  readonly why: string;
  readonly memory: NodeMemory;
}

export interface ChainPlan {
  readonly verdict: Verdict | null;
  readonly storm: boolean;
  readonly nodes: readonly NodePlan[];
  /** Why the snapshot that is due is not being taken; null = none is due, or it is. */
  readonly captureWaits: string | null;
}

export interface PlanAsk {
  readonly chain: ChainFacts;
  readonly memories: ReadonlyMap<string, NodeMemory>;
  readonly options: HealOptions;
  readonly nowMs: number;
  /** A number of [0, 1) for each node, the same for the same failure: the back-off's jitter. */
  readonly jitter: (node: string, attempt: number) => number;
}

/** Takes in what a look tells of the runs and of how long the verdict holds. */
function remember(memory: NodeMemory, node: NodeFacts, ask: PlanAsk): NodeMemory {
  const { state, startedAtMs, endedAtMs, incarnation } = node.process;
  if (state === 'running') {
    return memory.shortRuns > 0 && ask.nowMs - startedAtMs >= ask.options.shortRunMs ? { ...memory, shortRuns: 0 } : memory;
  }
  if (endedAtMs < 0 || endedAtMs === memory.lastEndedAtMs) return memory;
  const byUs = memory.operation !== null && memory.operation.kind !== 'start' && memory.operation.incarnation === incarnation;
  const isShort = startedAtMs >= 0 && endedAtMs - startedAtMs < ask.options.shortRunMs;
  return { ...memory, lastEndedAtMs: endedAtMs, shortRuns: byUs ? memory.shortRuns : isShort ? memory.shortRuns + 1 : 0 };
}

function withVerdict(memory: NodeMemory, verdict: Verdict, nowMs: number): NodeMemory {
  const kept = memory.verdict === verdict.kind ? memory : { ...memory, verdict: verdict.kind, verdictSinceMs: nowMs };
  // what still waits in the middle of an operation is not over
  return verdict.kind === 'healthy' && kept.operation === null && (kept.human !== null || kept.blockedSinceMs >= 0) ? { ...kept, human: null, goesOn: false, blockedSinceMs: -1 } : kept;
}

/** Waits before try n+1 of a rung: doubling from the least to the most, between half of it and all. */
export function backoffMs(tried: number, jitter: number, options: HealOptions): number {
  if (tried === 0) return 0;
  const full = Math.min(options.backoffMaxMs, options.backoffMinMs * 2 ** (tried - 1));
  return Math.round(full * (0.5 + jitter / 2));
}

const KINDS: Readonly<Partial<Record<Rung, OperationKind>>> = { restart: 'restart', resync: 'resync', restore: 'restore' };

interface Look {
  readonly node: NodeFacts;
  readonly verdict: Verdict;
  readonly memory: NodeMemory;
}

const plain = ({ node, verdict, memory }: Look, why: string): NodePlan => ({ node: node.name, verdict, rung: null, step: null, ended: null, guards: [], why, memory });

function carryOn(look: Look, operation: Operation, capacity: Capacity, ask: PlanAsk): NodePlan {
  const { node, verdict } = look;
  const isWish = operation.kind === 'stop' || operation.kind === 'remove';
  if ((node.paused || ask.chain.paused) && !isWish) return plain(look, `healing is paused in the middle of a ${operation.kind}`);
  const { chain, options, nowMs } = ask;
  const next = advance(operation, node, verdict, { chain, options, nowMs });
  // its new run has no traffic yet to take away
  const isBack = next.step?.kind === 'cordon' && node.process.incarnation !== operation.incarnation && !capacity.serves(node);
  const refused = next.step !== null && lowers(next.step, operation) && !isBack ? refusal(lossGuards({ kind: operation.kind, node, chain, capacity, options })) : null;
  if (refused !== null && operation.kind === 'capture') return giveUp(look, operation, refused);
  if (refused !== null) return stuck({ ...look, memory: { ...look.memory, operation: next.operation } }, `the ${operation.kind} waits: ${refused.why}`, ask);
  const failing = next.step === null ? null : refusedStep(operation, next.step.kind);
  const late = failing === null ? null : stuck({ ...look, memory: { ...look.memory, operation: next.operation } }, `${next.step?.kind} fails again and again: ${failing}`, ask);
  if (late?.step != null) return late;
  if (next.step?.kind === 'cordon') capacity.leave(node);
  const ended = next.outcome === 'going' ? null : { operation, outcome: next.outcome };
  const step = next.step?.kind;
  const memory = next.outcome === 'done' && !UNCOUNTED.has(operation.kind) ? withHelp(look.memory) : look.memory;
  const heldOut = memory.heldOut || step === 'cordon';
  const partWeight = memory.partWeight || step === 'weight';
  return { ...plain(look, next.why), step: next.step, ended, memory: { ...memory, operation: next.operation, heldOut, partWeight, blockedSinceMs: late?.memory.blockedSinceMs ?? -1 } };
}

/** Operations that cure nothing. */
const UNCOUNTED: ReadonlySet<OperationKind> = new Set<OperationKind>(['stop', 'readmit', 'capture']);

/** A capture can be had later as well: where the others cannot bear it any more, the node goes back at once. */
function giveUp(look: Look, operation: Operation, refused: Guard): NodePlan {
  const why = `nothing is captured: ${refused.why}`;
  return { ...plain(look, why), ended: { operation, outcome: 'dropped' }, memory: { ...look.memory, operation: null } };
}

/** Begins a capture of a healthy node, if every guard lets it. */
function beginCapture(look: Look, capacity: Capacity, ask: PlanAsk): NodePlan {
  const { node, verdict, memory } = look;
  const { chain, options, nowMs } = ask;
  const guards = guardsOf({ kind: 'capture', node, memory, chain, capacity, notBeforeMs: Number.NEGATIVE_INFINITY, options, nowMs });
  const refused = refusal(guards);
  if (refused !== null) return { ...plain(look, `${verdict.why}; a snapshot is due, but ${refused.why}`), guards };
  const why = chain.capture?.why ?? '';
  const about = { verdict: verdict.kind, why, startedAtMs: nowMs, incarnation: node.process.incarnation, snapshotId: null, keepCordon: false, hold: true, captureKind: chain.capture?.kind ?? 'full' } as const;
  const operation = newOperation('capture', about, node.name);
  capacity.outByUs++;
  return { ...carryOn({ ...look, memory: { ...memory, operation } }, operation, capacity, ask), guards };
}

/** Cordoned, and not by us. */
const isOperators = ({ node, memory }: Look): boolean => node.edge?.cordoned === true && !memory.heldOut;

/** Cordoned, or at a part of its weight, by us; an operator's cordon comes first. */
const isHeldBack = (look: Look): boolean => look.memory.heldOut || (look.memory.partWeight && !isOperators(look));

/** Well, but still held back by an operation that is over: its way back is the same as after a start. */
function readmit(look: Look, capacity: Capacity, ask: PlanAsk): NodePlan {
  const about = { verdict: look.verdict.kind, why: look.verdict.why, startedAtMs: ask.nowMs, incarnation: '', snapshotId: null, keepCordon: false, hold: true };
  const operation = newOperation('readmit', about, look.node.name);
  return carryOn({ ...look, memory: { ...look.memory, operation } }, operation, capacity, ask);
}

function callHuman(look: Look, why: string, goesOn: boolean): NodePlan {
  const sentence = `${look.verdict.why}; a human is called: ${why}`;
  if (look.memory.human !== null && look.memory.goesOn === goesOn) return { ...plain(look, look.memory.human), rung: 'human' };
  return { ...plain(look, sentence), rung: 'human', step: { kind: 'callHuman', verdict: look.verdict.kind }, memory: { ...look.memory, human: sentence, goesOn } };
}

/** Waits for a guard, or for somebody else, to give way; when that takes long, a human is told. */
function stuck(look: Look, why: string, ask: PlanAsk): NodePlan {
  const blockedSinceMs = look.memory.blockedSinceMs < 0 ? ask.nowMs : look.memory.blockedSinceMs;
  const blocked = { ...look, memory: { ...look.memory, blockedSinceMs } };
  if (ask.nowMs - blockedSinceMs >= ask.options.patienceMs) return callHuman(blocked, why, true);
  return plain(blocked, `${look.verdict.why}: ${why}`);
}

/** A guard holds the step back: wait for it, and tell a human when that takes long. */
function held(look: Look, by: { readonly kind: OperationKind; readonly guards: readonly Guard[]; readonly refused: Guard }, ask: PlanAsk): NodePlan {
  const { kind, guards, refused } = by;
  const { verdict } = look;
  const why = `a ${kind} would follow, but ${refused.why}`;
  if (PASSING.has(refused.name)) return { ...plain(look, `${verdict.why}: ${why}`), guards };
  return { ...stuck(look, why, ask), guards };
}

/** Begins what the ladder asks for, if every guard lets it. */
function begin(look: Look, capacity: Capacity, ask: PlanAsk): NodePlan {
  const { node, verdict, memory } = look;
  const { chain, options, nowMs } = ask;
  const choice = chooseRung(verdict, memory, { node, chain, options, nowMs });
  if (choice.rung === 'human') return callHuman(look, choice.why, false);
  const rung = KINDS[choice.rung];
  if (rung === undefined) return { ...plain(look, `${verdict.why}: waiting`), rung: 'wait' };
  const runs = node.process.state === 'running';
  const kind: OperationKind = rung === 'restart' && !runs ? 'start' : rung;
  const heldMs = nowMs - memory.verdictSinceMs;
  if (runs && heldMs < options.confirmMs) return { ...plain(look, `${verdict.why}: making sure before a ${kind}`), rung: choice.rung };
  const lastMs = memory.attempts.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
  const notBeforeMs = lastMs + backoffMs(choice.recent, ask.jitter(node.name, choice.recent), options);
  const guards = guardsOf({ kind, node, memory, chain, capacity, notBeforeMs, options, nowMs });
  const refused = refusal(guards);
  if (refused !== null) return { ...held(look, { kind, guards, refused }, ask), rung: choice.rung };
  const operation = newOperation(
    kind,
    {
      verdict: verdict.kind,
      why: verdict.why,
      startedAtMs: nowMs,
      incarnation: node.process.incarnation,
      snapshotId: kind === 'restore' ? (chain.snapshot?.id ?? null) : null,
      keepCordon: isOperators(look),
      hold: kind !== 'start' || capacity.inService > 0,
    },
    node.name,
  );
  if (kind !== 'start') capacity.outByUs++;
  const begun = { ...withAttempt(memory, { rung: choice.rung, verdict: verdict.kind, atMs: nowMs, helped: false }), operation, blockedSinceMs: -1 };
  const planned = carryOn({ ...look, memory: begun }, operation, capacity, ask);
  return { ...planned, rung: choice.rung, guards, why: `${verdict.why}: ${choice.why}; ${planned.why}` };
}

/** A node that is to be stopped while it runs, or to be removed: an operator's word, whatever the capacity. */
function endByWish(look: Look, capacity: Capacity, ask: PlanAsk): NodePlan {
  const { node } = look;
  const kind = node.wish === 'removed' ? 'remove' : 'stop';
  if (kind === 'stop' && node.process.state !== 'running') return plain(look, look.verdict.why);
  const about = { verdict: 'stopped', why: look.verdict.why, startedAtMs: ask.nowMs, incarnation: node.process.incarnation, snapshotId: null, keepCordon: isOperators(look), hold: true } as const;
  const operation = newOperation(kind, about, node.name);
  return carryOn({ ...look, memory: { ...look.memory, operation } }, operation, capacity, ask);
}

/**
 * What an operation that is over has left: one that was given up, or whose end a crash cut short. What was there before it goes only
 * where the node serves on what took its place.
 */
function tidied(plan: NodePlan, { node, verdict }: Look, capacity: Capacity): NodePlan {
  const { isLittered = false, kept } = node.data;
  const isOver = plan.step === null && plan.memory.operation === null && !node.paused && node.process.state !== 'unknown';
  const isKept = kept !== null && (verdict.kind !== 'healthy' || !capacity.serves(node) || plan.memory.heldOut || plan.memory.partWeight);
  if (!isOver || isKept || !(isLittered || kept !== null)) return plan;
  return { ...plan, step: { kind: 'discard', operationId: kept ?? '' }, why: `${plan.why}; what an operation left that is over goes` };
}

function planNode(look: Look, capacity: Capacity, ask: PlanAsk & { readonly source: string | null }): NodePlan {
  const { node, verdict, memory } = look;
  if (memory.operation !== null) return carryOn(look, memory.operation, capacity, ask);
  if (node.wish !== 'running') return endByWish(look, capacity, ask);
  if (node.paused || ask.chain.paused) return plain(look, `${verdict.why}; healing is paused`);
  if (verdict.kind === 'healthy' && isHeldBack(look)) return readmit(look, capacity, ask);
  if (ask.source === node.name) return beginCapture(look, capacity, ask);
  if (DO_NOTHING.has(verdict.kind)) return plain(look, verdict.why);
  if (memory.human !== null && !memory.goesOn) return { ...plain(look, memory.human), rung: 'human' };
  return begin(look, capacity, ask);
}

/**
 * Decides for every node of a chain what comes next: at most one idempotent step each, from the facts of this look and
 * what must be remembered. The same facts and memory give the same plan; an event lost or doubled changes nothing, since
 * there are none.
 */
export function planChain(ask: PlanAsk): ChainPlan {
  const { chain, options, nowMs } = ask;
  const whole = chainVerdict(chain, options, nowMs);
  const verdicts = new Map<string, Verdict>();
  const memories = new Map<string, NodeMemory>();
  for (const node of chain.nodes) {
    const seen = remember(withEdge(ask.memories.get(node.name) ?? BLANK, node.edge), node, ask);
    const verdict = diagnose(node, seen, chain, { options, nowMs, chainVerdict: whole });
    verdicts.set(node.name, verdict);
    memories.set(node.name, withVerdict(seen, verdict, nowMs));
  }
  const capacity = new Capacity(chain, verdicts, memories, options);
  const looks = chain.nodes.map((node): Look => ({ node, verdict: verdicts.get(node.name) as Verdict, memory: memories.get(node.name) as NodeMemory }));
  const source = sourceOf(looks, chain);
  const nodes = looks.map((look) => tidied(planNode(look, capacity, { ...ask, source: source?.node ?? null }), look, capacity));
  const begun = nodes.find(({ node }) => node === source?.node);
  return { verdict: whole, storm: capacity.storm, nodes, captureWaits: source === null || begun?.memory.operation?.kind === 'capture' ? null : (begun?.why ?? source.why) };
}

/** Where the snapshot that is due is taken of; null = none is due, or one is being taken. One at a time. */
function sourceOf(looks: readonly Look[], { capture, paused }: ChainFacts): SourceChoice | null {
  if (capture == null || looks.some(({ memory }) => memory.operation?.kind === 'capture')) return null;
  return paused ? { node: null, why: 'healing is paused' } : chooseSource(looks, capture);
}
