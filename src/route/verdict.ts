import type { FaultKind } from '../base/fault.ts';
import type { Outcome, OutcomeClass } from '../chain/outcome.ts';

/** What a class of outcome comes to when no node gave an answer. */
interface VerdictRow {
  /** Lower dominates: what tells the caller most about the call itself comes first. */
  readonly order: number;
  /** A node's error of this class may be shown as it is. */
  readonly show: boolean;
  readonly fault: FaultKind;
  /** Without an answer it is unknown whether the node ran the call. */
  readonly unknown: boolean;
}

const row = (order: number, show: boolean, fault: FaultKind, unknown = false): VerdictRow => ({
  order,
  show,
  fault,
  unknown,
});

/**
 * The table of last answers. Texts of `throttled`, `auth` and `http` may name the provider's account and are never shown.
 * `unsupported` comes last: it is the answer only when every node said so, for another may support the method.
 */
export const VERDICTS: Readonly<Record<OutcomeClass, VerdictRow>> = {
  result: row(0, true, 'internal'),
  chain: row(1, true, 'badAnswer'),
  client: row(2, true, 'badAnswer'),
  tooLarge: row(3, true, 'responseTooLarge'),
  missingData: row(4, true, 'noUpstream'),
  node: row(5, true, 'noUpstream', true),
  throttled: row(6, false, 'noUpstream'),
  badJson: row(7, false, 'badAnswer', true),
  wrongId: row(8, false, 'badAnswer', true),
  timeout: row(9, false, 'deadline', true),
  http: row(10, false, 'noUpstream', true),
  auth: row(11, false, 'noUpstream'),
  transport: row(12, false, 'noUpstream', true),
  cancelled: row(13, false, 'noUpstream', true),
  unsupported: row(14, false, 'methodUnsupported'),
};

/** One ended attempt, as the verdict sees it. */
export interface Ended {
  readonly outcome: Outcome | null;
  readonly reply: unknown;
}

/**
 * The answer of a call that no node answered: the position of the attempt whose reply is shown, or a fault.
 * Among attempts of the dominant class the first one with a reply wins, so the verdict does not depend on timing alone.
 * @param at the ended attempts by position, undefined behind the last
 * @param mayRunTwice the method may be sent to another node after it may have reached one
 */
export function verdictOf(at: (position: number) => Ended | undefined, mayRunTwice: boolean): number | FaultKind {
  let best: VerdictRow | null = null;
  let shown = -1;
  for (let position = 0; ; position++) {
    const ended = at(position);
    if (ended === undefined) break;
    if (ended.outcome === null) continue;
    const next = VERDICTS[ended.outcome.class];
    const show = next.show && ended.reply !== null;
    if (!mayRunTwice && next.unknown && !show && !ended.outcome.unsent) return 'sentUnknown';
    if (best !== null && (next.order > best.order || (next.order === best.order && (shown >= 0 || !show)))) continue;
    best = next;
    shown = show ? position : -1;
  }
  if (best === null) return 'noUpstream';
  return shown >= 0 ? shown : best.fault;
}

/** Ms after which asking again makes sense: the shortest wait that a node asked for, or 0. */
export function holdOf(at: (position: number) => Ended | undefined): number {
  let holdMs = 0;
  for (let position = 0; ; position++) {
    const ended = at(position);
    if (ended === undefined) return holdMs;
    const asked = ended.outcome?.holdMs ?? 0;
    if (asked > 0 && (holdMs === 0 || asked < holdMs)) holdMs = asked;
  }
}
