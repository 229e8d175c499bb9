import { errors } from 'undici';
import { VERDICTS } from '../chain/errors/verdicts.ts';
import type { Outcome, OutcomeClass } from '../chain/outcome.ts';

/** A failed exchange, ready for the sink. `detail` holds no URL and no key. */
export interface Failure {
  readonly outcome: Outcome;
  readonly detail: string;
}

const outcome = (kind: OutcomeClass, blame: boolean, unsent: boolean): Outcome =>
  ({ class: kind, retry: kind === 'cancelled' ? 'final' : 'other', blame, unsent, holdMs: 0 });

const TRANSPORT_SENT = outcome('transport', true, false);
const TRANSPORT_UNSENT = outcome('transport', true, true);
const TIMEOUT_SENT = outcome('timeout', true, false);
const TIMEOUT_UNSENT = outcome('timeout', true, true);
/** The call waited for one of our own connections: the node was never asked. */
const CROWDED = outcome('timeout', false, true);
/** Our own doing, before or after it was sent: another node may be asked. */
const OURS_UNSENT = outcome('transport', false, true);
const OURS_SENT = outcome('transport', false, false);
const CANCELLED_SENT = outcome('cancelled', false, false);
const CANCELLED_UNSENT = outcome('cancelled', false, true);

export const cancelledFailure = (unsent: boolean): Failure =>
  ({ outcome: unsent ? CANCELLED_UNSENT : CANCELLED_SENT, detail: 'cancelled' });

/** The client of the node was closed. */
export const closingFailure = (unsent: boolean): Failure =>
  ({ outcome: unsent ? OURS_UNSENT : OURS_SENT, detail: 'closing' });

/** There is no connection to the node. */
export const unreachedFailure = (detail: string): Failure => ({ outcome: TRANSPORT_UNSENT, detail });

/** The connection that the call had been sent on was lost. */
export const lostFailure = (reason: string): Failure => ({ outcome: TRANSPORT_SENT, detail: `connection lost: ${reason}` });

export const timeoutFailure = (unsent: boolean): Failure =>
  ({ outcome: unsent ? TIMEOUT_UNSENT : TIMEOUT_SENT, detail: unsent ? 'no connection in time' : 'no answer in time' });

export const crowdedFailure = (): Failure => ({ outcome: CROWDED, detail: 'every connection stayed busy' });

export const refusedHere = (detail: string): Failure => ({ outcome: OURS_UNSENT, detail });

export const badAnswer = (detail: string): Failure => ({ outcome: VERDICTS.badJson, detail });

export const tooLargeFailure = (maxBytes: number): Failure =>
  ({ outcome: VERDICTS.tooLarge, detail: `the answer is over ${maxBytes} bytes` });

/** What error codes of sockets, resolver and HTTP parser mean in words. Their own messages hold addresses. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name lookup failed',
  UND_ERR_SOCKET: 'connection closed before the whole answer',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'connection closed before the whole answer',
  UND_ERR_HEADERS_OVERFLOW: 'response header too large',
};

/**
 * Names a failure of the HTTP client.
 * @param unsent no byte of the call had been handed to a connection
 */
export function transportFailure(error: unknown, unsent: boolean): Failure {
  const code = codeOf(error);
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return closingFailure(unsent);
  if (error instanceof errors.HTTPParserError) return { outcome: VERDICTS.http, detail: 'malformed HTTP' };
  return { outcome: unsent ? TRANSPORT_UNSENT : TRANSPORT_SENT, detail: describeError(error) };
}

/** A connection's error in words, without address, host name or URL. */
export function describeError(error: unknown): string {
  const code = codeOf(error);
  const words = WORDS[code];
  if (words !== undefined) return words;
  if (code.startsWith('WS_ERR_')) return `bad WebSocket frame (${code})`;
  return /CERT|TLS|SSL|SIGNATURE|EPROTO/.test(code) ? `TLS failed (${code})` : `transport failed (${code})`;
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,48}$/.test(code) ? code : 'unknown';
}
