import type { LogEvidence } from '../heal/facts.ts';
import type { SignRule } from './clients.ts';

const SHOWN_CHARS = 200;
/** Keys and passwords have no place in a journal. */
const SECRET = /\b(0x)?[0-9a-f]{64}\b|(password|secret|token|key)(["' ]*[:=]["' ]*)\S+|(:\/\/)[^\s/@]+@/gi;

/** The newest telling line of a log; null = nothing telling. */
export function readSigns(lines: readonly string[], rules: readonly SignRule[]): LogEvidence | null {
  for (const line of lines.toReversed()) {
    const rule = rules.find(({ pattern }) => pattern.test(line));
    if (rule !== undefined) return { sign: rule.sign, line: line.replace(SECRET, '$2$3$4…').replace(/\p{Cc}/gu, ' ').slice(0, SHOWN_CHARS) };
  }
  return null;
}
