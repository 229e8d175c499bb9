import type { MethodSpec } from '../method.ts';
import type { Outcome } from '../outcome.ts';
import { ERROR_RULES, type ErrorRule } from './rules.ts';
import { ALREADY_KNOWN, LIMIT_TEXTS, NONCE_TOO_LOW } from './texts.ts';
import { held, VERDICTS } from './verdicts.ts';

/** Characters of a message that are looked at: the meaning is at its start, and a bound keeps matching cheap. */
const MAX_MESSAGE_CHARS = 512;

const head = (message: string): string => (message.length > MAX_MESSAGE_CHARS ? message.slice(0, MAX_MESSAGE_CHARS) : message);

/** Seconds to stay away, as some providers put it into a throttling error's data. */
const BACKOFF = /"backoff_seconds"\s*:\s*([0-9]{1,6}(?:\.[0-9]{1,3})?)/;

function matches(rule: ErrorRule, code: number, text: string, spec: MethodSpec): boolean {
  return (
    (rule.codes === null || rule.codes.has(code)) &&
    rule.except !== code &&
    (rule.only === null || rule.only(spec)) &&
    (rule.text === null || rule.text.test(text))
  );
}

/** The row of the table that an error answer falls under; undefined when none knows it. */
export function ruleOf(code: number, message: string, spec: MethodSpec): ErrorRule | undefined {
  const text = head(message);
  return ERROR_RULES.find((rule) => matches(rule, code, text, spec));
}

/**
 * What a JSON-RPC error answer of a node means. An answer that no row knows is not held against the node and may be
 * asked of another one.
 * @param code -32000 when the answer has none
 * @param message the error's message, unescaped
 * @param dataRaw the error's `data` as JSON text, or null
 */
export function classifyError(code: number, message: string, dataRaw: string | null, spec: MethodSpec): Outcome {
  const rule = ruleOf(code, message, spec);
  const verdict = VERDICTS[rule?.verdict ?? 'nodeDeclined'];
  if (verdict.class !== 'throttled' || dataRaw === null) return verdict;
  const backoff = BACKOFF.exec(head(dataRaw));
  return backoff === null ? verdict : held(verdict, Number(backoff[1]) * 1000);
}

/**
 * What an HTTP answer means whose body is not a JSON-RPC answer.
 * @param bodyText the start of the body, '' when it has none
 * @param retryAfterMs what `Retry-After` asks for, or 0
 */
export function classifyStatus(status: number, bodyText: string, retryAfterMs: number): Outcome {
  if (status >= 200 && status < 300) return VERDICTS.badJson;
  if (status === 429) return held(VERDICTS.throttled, retryAfterMs);
  const text = head(bodyText);
  if (status === 401 || status === 402) return held(VERDICTS.auth, retryAfterMs);
  if (status === 403) return held(LIMIT_TEXTS.rate.test(text) ? VERDICTS.throttled : VERDICTS.auth, retryAfterMs);
  if (status === 413) return VERDICTS.tooLarge;
  // Our envelope is well formed, so the rest of the call is what this node did not like; that may be the caller's doing.
  if (status === 400 || status === 422) return VERDICTS.httpRefused;
  if (status >= 400 && LIMIT_TEXTS.rate.test(text)) return held(VERDICTS.throttled, retryAfterMs);
  return held(VERDICTS.http, retryAfterMs);
}

/** The node has the transaction already: for a client that sent it, that is success. */
export const alreadyKnown = (message: string): boolean => ALREADY_KNOWN.test(head(message));

/** The nonce is used: success if the transaction with that nonce is the one that was sent. */
export const nonceTooLow = (message: string): boolean => NONCE_TOO_LOW.test(head(message));
