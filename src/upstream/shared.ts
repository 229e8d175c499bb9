import { LIMIT_TEXTS } from '../chain/errors/texts.ts';
import { VERDICTS } from '../chain/errors/verdicts.ts';
import { ODD_ID, splitBatchReply } from '../rpc/reply.ts';
import type { ErrorReply, SplitReply } from '../rpc/reply.ts';
import type { Failure } from './failure.ts';
import type { HttpAnswer } from './request.ts';

/** What a node makes of several calls in one message, where it does not answer them as it should. */
export type Refusal =
  /** It does not take such messages, or answers them in a way that cannot be trusted. */
  | 'refused'
  /** It takes smaller ones. */
  | 'tooLarge'
  /** It would take no call now. */
  | Failure;

/** A node's answer to such a message. */
export interface SharedAnswer {
  /** The entry of each call by its place, null where there is none that can be trusted: those calls are to be sent alone. */
  readonly entries: readonly (SplitReply | null)[];
  /** Null when every call has its entry, and there is none beside. */
  readonly refusal: Refusal | null;
}

const NO_ENTRIES: readonly null[] = [];
const TOO_LARGE_TEXT = /too (?:large|many|big|long)|exceed|limit|maximum|\bmax\b/i;
/** Codes with which a node finds fault with the envelope, which is ours and well formed. */
const ENVELOPE_CODES = new Set([-32700, -32600]);
/** Geth's code for the entries of a batch after the one that made its answer too large. */
const RESPONSE_TOO_LARGE = -32003;

/** An error that is about the message, not about the call whose id it bears. Geth puts "batch too large" under the id of the first call. */
const isAboutMessage = ({ code, message }: ErrorReply): boolean =>
  ENVELOPE_CODES.has(code) || code === RESPONSE_TOO_LARGE || /\bbatch/i.test(message);

const refusalOf = (message: string): Refusal => (TOO_LARGE_TEXT.test(message) ? 'tooLarge' : 'refused');

/**
 * Matches the entries of a node's answer to the calls by id: nodes may answer in any order. An id that occurs twice, or that nobody
 * asked for, is nobody's.
 * @param ids of the calls, each once, by place
 */
export function matchEntries(entries: readonly SplitReply[], ids: readonly number[]): SharedAnswer {
  const found: (SplitReply | null)[] = new Array<SplitReply | null>(ids.length).fill(null);
  let refusal: Refusal | null = entries.length === ids.length ? null : 'refused';
  let places: Map<number, number> | null = null;
  let twice: Set<number> | null = null;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as SplitReply;
    const id = entry.kind === 'bad' ? ODD_ID : entry.id;
    // nearly always in the order of the calls
    let place: number | undefined = i;
    if (ids[i] !== id) {
      places ??= new Map(ids.map((each, at) => [each, at]));
      place = places.get(id);
    }
    if (entry.kind === 'error' && isAboutMessage(entry)) refusal = refusalOf(entry.message);
    else if (place === undefined) refusal ??= 'refused';
    else if (found[place] === null) found[place] = entry;
    else {
      twice ??= new Set();
      twice.add(place);
    }
  }
  for (const place of twice ?? []) {
    found[place] = null;
    refusal ??= 'refused';
  }
  return { entries: found, refusal };
}

/** Reads a node's HTTP answer to a message with several calls. */
export function readShared(answer: HttpAnswer, ids: readonly number[]): SharedAnswer {
  const split = splitBatchReply(answer.body);
  if (isList(split)) return matchEntries(split, ids);
  return { entries: NO_ENTRIES, refusal: split.kind === 'error' ? readError(answer, split) : 'refused' };
}

function readError({ status, retryAfterMs }: HttpAnswer, { message }: ErrorReply): Refusal {
  if (/\bbatch/i.test(message)) return refusalOf(message);
  if (status === 429 || LIMIT_TEXTS.rate.test(message)) {
    return { outcome: { ...VERDICTS.throttled, holdMs: retryAfterMs }, detail: 'calls are limited by the node' };
  }
  return status === 413 ? 'tooLarge' : refusalOf(message);
}

/**
 * What it means that a message with several calls got no JSON-RPC answer.
 * @param status of the HTTP answer; 0 = there was none
 * @param trusted the node has answered such messages before
 */
export function readSharedFailure(failure: Failure, status: number, trusted: boolean): Refusal {
  const { class: kind, unsent } = failure.outcome;
  if (kind === 'tooLarge') return 'tooLarge';
  if (kind === 'throttled') return failure;
  // of a node that took none yet, a cut connection may be its answer to them
  if (status === 0 || status >= 500) return trusted || unsent ? failure : 'refused';
  return 'refused';
}

const isList = (split: readonly SplitReply[] | SplitReply): split is readonly SplitReply[] => Array.isArray(split);
