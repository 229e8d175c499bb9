import type { ChainFacts, NodeFacts } from './facts.ts';
import { attemptsOfDay } from './memory.ts';
import type { NodeMemory } from './memory.ts';
import type { HealOptions } from './options.ts';
import type { OperationKind } from './operation.ts';
import type { Capacity } from './capacity.ts';

/** One condition of a step, with its reason either way. */
export interface Guard {
  readonly name: string;
  readonly holds: boolean;
  readonly why: string;
}

/** What the guards look at. */
export interface GuardAsk {
  readonly kind: OperationKind;
  readonly node: NodeFacts;
  readonly memory: NodeMemory;
  readonly chain: ChainFacts;
  readonly capacity: Capacity;
  /** Earliest time of another try. */
  readonly notBeforeMs: number;
  readonly options: HealOptions;
  readonly nowMs: number;
}

const guard = (name: string, holds: boolean, why: string): Guard => ({ name, holds, why });

/** Room beyond the snapshot's own size that a restore wants, as a share. */
const RESTORE_MARGIN = 1.1;

function always({ node, memory, chain, notBeforeMs, options, nowMs }: GuardAsk): Guard[] {
  const isPaused = node.paused || chain.paused;
  const ageMs = nowMs - node.rpc.askedAtMs;
  return [
    guard('paused', !isPaused, isPaused ? 'healing is paused' : 'not paused'),
    guard('facts-age', ageMs <= options.maxFactsAgeMs, `looked at ${ageMs} ms ago`),
    guard('back-off', nowMs >= notBeforeMs, nowMs >= notBeforeMs ? 'no wait is due' : `the next try is due in ${Math.ceil((notBeforeMs - nowMs) / 1000)} s`),
    guard('attempts', attemptsOfDay(memory, nowMs).length < options.maxAttemptsPerDay, `${attemptsOfDay(memory, nowMs).length} of ${options.maxAttemptsPerDay} attempts of the day`),
  ];
}

/** Beyond those of a plain start: for what ends a run or replaces data. */
function lowering({ kind, node, chain, capacity, options }: GuardAsk): Guard[] {
  const unavailable = guard('unavailable', capacity.outByUs < options.maxUnavailable, `${capacity.outByUs} of ${options.maxUnavailable} nodes are out by our doing`);
  const guards = [unavailable, ...lossGuards({ kind, node, chain, capacity, options })];
  if (kind === 'restore') guards.push(...restoring(node, chain));
  return guards;
}

/**
 * What is asked again right before each step that takes traffic away, ends a run or replaces data: the world may have
 * changed since the operation began.
 */
export function lossGuards({ kind, node, chain, capacity, options }: Pick<GuardAsk, 'kind' | 'node' | 'chain' | 'capacity' | 'options'>): Guard[] {
  const replaces = kind === 'restore' || kind === 'resync';
  const serves = capacity.serves(node);
  const left = capacity.inService - (serves ? 1 : 0);
  const blind = node.edge === null && node.process.state === 'running' && capacity.answers(node);
  return [
    guard('storm', !capacity.storm || !(replaces || serves), capacity.storm ? `${capacity.ill} of ${chain.nodes.length} nodes look ill` : 'few nodes look ill'),
    guard('in-service', !serves || left >= options.minInService, `${left} would stay in service, ${options.minInService} wanted`),
    guard('edge', !blind, blind ? 'the edge cannot be asked and the node answers: it may serve' : 'the edge knows, or nobody is served by it'),
  ];
}

function restoring(node: NodeFacts, chain: ChainFacts): Guard[] {
  const { snapshot } = chain;
  const wanted = snapshot === null ? 0 : Math.ceil(snapshot.sizeBytes * RESTORE_MARGIN);
  const free = node.disk?.freeBytes ?? -1;
  return [
    guard('snapshot', snapshot !== null, snapshot === null ? 'no proven snapshot' : `snapshot ${snapshot.id} is proven`),
    guard('space', free < 0 || free >= wanted, free < 0 ? 'free space is not known' : `${free} bytes free, ${wanted} wanted`),
  ];
}

/**
 * All conditions under which an operation may begin. A process that is gone can be started without taking anything from
 * anybody: only a pause, stale facts, the back-off and the day's attempts hold it.
 */
export function guardsOf(ask: GuardAsk): readonly Guard[] {
  return ask.kind === 'start' ? always(ask) : [...always(ask), ...lowering(ask)];
}

/** Guards that give way by themselves, and that nobody need be told of. */
export const PASSING: ReadonlySet<string> = new Set(['paused', 'facts-age', 'back-off']);

/** The first that does not hold; null = all do. */
export function refusal(guards: readonly Guard[]): Guard | null {
  return guards.find(({ holds }) => !holds) ?? null;
}
