import type { BudgetFacts } from '../route/budgetBook.ts';
import type { Explained, Exclusion } from '../route/explain.ts';
import type { Reason } from '../route/explanation.ts';
import type { RankAsk } from '../route/flaws.ts';
import type { RouteEntry } from '../route/table.ts';

/** What the words are made of. */
export interface ReasonFacts {
  readonly entry: RouteEntry;
  readonly ask: RankAsk;
  /** The node's budget, and ms until the call fits into it. */
  readonly budget: BudgetFacts & { readonly waitMs: number };
  /** The judge's sentence on the node's state. */
  readonly why: string;
}

const WORDS: Readonly<Record<Exclusion, (node: Explained, facts: ReasonFacts) => string>> = {
  state: (node, { why }) => (node.state === 'serving' || node.state === 'ramping' ? 'its weight is 0' : why),
  denied: () => 'its methods.allow or methods.deny keeps the method away, or it said that it lacks it',
  capability: () => 'it lacks the capability that the method needs',
  full: (node, { entry }) => `${node.inFlight} calls are in flight there, its maxInFlight is ${entry.maxInFlight}`,
  held: (_node, { entry, ask }) => `it asked not to be called for another ${Math.ceil(entry.heldUntilMs - ask.nowMs)} ms`,
  behind: (_node, { entry, ask }) =>
    entry.headNumber < ask.requiredBlock
      ? `its head is ${entry.headNumber}, the call needs block ${ask.requiredBlock}`
      : `it is known to be on the trusted branch up to ${entry.agreedNumber}, the call needs it up to ${ask.trustedBlock}`,
  pruned: (_node, { entry, ask }) => `it has states from block ${entry.lowestState} on, the call reads block ${ask.stateBlock}`,
  archive: (_node, { entry, ask }) => `it is no archive by its config: it has states from block ${entry.stateFloor} on, the call reads block ${ask.stateBlock}`,
  budget: (_node, { budget }) => `its budget of ${budgetWords(budget)} is used up for another ${Math.ceil(budget.waitMs)} ms`,
  tier: () => 'a better tier serves, or the judge gives it no traffic now',
};

/** A budget in words, such as `40 calls/s`; '' = no limit. */
export function budgetWords({ callsPerS, weightPerS }: Pick<BudgetFacts, 'callsPerS' | 'weightPerS'>): string {
  const rate = (perS: number, unit: string): string[] => (perS > 0 ? [`${Number(perS.toPrecision(3))} ${unit}/s`] : []);
  return [...rate(callsPerS, 'calls'), ...rate(weightPerS, 'weight')].join(' and ');
}

/** Everything that speaks against a node, with its numbers. */
export function reasonsOf(node: Explained, facts: ReasonFacts): readonly Reason[] {
  return node.exclusions.map((reason) => ({ reason, words: WORDS[reason](node, facts) }));
}
