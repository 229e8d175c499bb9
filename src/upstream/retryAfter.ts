import { MAX_HOLD_MS } from '../chain/errors/verdicts.ts';

/**
 * Reads a `Retry-After` value: seconds or an HTTP date (RFC 9110 section 10.2.3).
 * @param wallMs Unix milliseconds now
 * @returns ms up to `MAX_HOLD_MS`; 0 for what is absent, past or malformed
 */
export function parseRetryAfter(value: string, wallMs: number): number {
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1000), MAX_HOLD_MS);
  if (!/^[A-Za-z]{3,9},? /.test(text)) return 0;
  const untilMs = Date.parse(text);
  return Number.isNaN(untilMs) ? 0 : Math.min(Math.max(untilMs - wallMs, 0), MAX_HOLD_MS);
}
