import type { ChainFacts, NodeFacts } from './facts.ts';
import { attemptsOfDay } from './memory.ts';
import type { Attempt, NodeMemory } from './memory.ts';
import type { HealOptions } from './options.ts';
import type { Rung, Verdict, VerdictKind } from './ailment.ts';

interface Step {
  readonly rung: Rung;
  /** Tries before the next rung. */
  readonly tries: number;
}

const HUMAN: Step = { rung: 'human', tries: Number.POSITIVE_INFINITY };
const NEW_DATA: readonly Step[] = [{ rung: 'restore', tries: 2 }, { rung: 'resync', tries: 1 }, HUMAN];

/**
 * From the mildest to the last. Data is replaced only on evidence about data: a proof of damage, a sign of it in the log
 * that a restart did not cure, the wrong branch, or a node that stands still although restarts came off. Crashes alone
 * are no such evidence.
 */
const LADDERS: Readonly<Partial<Record<VerdictKind, readonly Step[]>>> = {
  processGone: [{ rung: 'restart', tries: 5 }, HUMAN],
  crashLoop: [{ rung: 'restart', tries: 3 }, HUMAN],
  portInUse: [{ rung: 'restart', tries: 3 }, HUMAN],
  badConfig: [HUMAN],
  versionTooOld: [HUMAN],
  diskFull: [HUMAN],
  unresponsive: [{ rung: 'restart', tries: 3 }, HUMAN],
  peerStarved: [{ rung: 'restart', tries: 2 }, HUMAN],
  lagging: [{ rung: 'wait', tries: Number.POSITIVE_INFINITY }],
  stalled: [{ rung: 'restart', tries: 2 }, ...NEW_DATA],
  forked: [{ rung: 'restart', tries: 1 }, ...NEW_DATA],
  dataSuspect: [{ rung: 'restart', tries: 1 }, ...NEW_DATA],
  dataCorrupt: NEW_DATA,
};

/** Why a rung cannot be taken at all for this node; null = it can. */
function impossible(rung: Rung, node: NodeFacts, chain: ChainFacts): string | null {
  if (rung === 'restore' && chain.snapshot === null) return 'no proven snapshot to restore from';
  if (rung === 'resync' && !node.canResync) return 'this kind of node cannot rebuild its data by itself';
  return null;
}

export interface Choice {
  readonly rung: Rung;
  /** How often this rung was tried for the same cause not long ago, with or without success; decides the back-off. */
  readonly recent: number;
  readonly why: string;
}

/**
 * The rung for a verdict. Attempts of the day on the same cause count, from the last one that helped on; a rung that
 * cannot be taken is passed over, and said.
 */
export function chooseRung(verdict: Verdict, memory: NodeMemory, around: { readonly node: NodeFacts; readonly chain: ChainFacts; readonly options: HealOptions; readonly nowMs: number }): Choice {
  const today = attemptsOfDay(memory, around.nowMs);
  if (today.length >= around.options.maxAttemptsPerDay) return { rung: 'human', recent: 0, why: `${today.length} attempts within a day did not help` };
  const since = today.slice(today.findLastIndex(({ helped }) => helped) + 1);
  const passed: string[] = [];
  for (const { rung, tries } of LADDERS[verdict.kind] ?? []) {
    if (rung === 'human') break;
    const obstacle = impossible(rung, around.node, around.chain);
    if (obstacle !== null) {
      passed.push(obstacle);
      continue;
    }
    const same = (one: Attempt): boolean => one.rung === rung && sameCause(one.verdict, verdict.kind);
    const tried = rung === 'wait' ? 0 : since.filter(same).length;
    const recent = today.filter((one) => same(one) && around.nowMs - one.atMs < 2 * around.options.backoffMaxMs).length;
    if (tried < tries) return { rung, recent, why: tried === 0 ? `${rung} comes first` : `${rung}, tried ${tried} of ${tries} times before` };
    passed.push(`${rung} was tried ${tried} times`);
  }
  return { rung: 'human', recent: 0, why: passed.length > 0 ? passed.join('; ') : 'nothing that can be done from here would help' };
}

/** Ends of the process are one cause, however they were called. */
const ENDS: ReadonlySet<VerdictKind> = new Set<VerdictKind>(['processGone', 'crashLoop', 'portInUse']);
const sameCause = (a: VerdictKind, b: VerdictKind): boolean => a === b || (ENDS.has(a) && ENDS.has(b));
