import type { EngineName } from './edge.ts';
import { refused, served, silent } from './edgeCorpus.ts';
import type { KnownDifference, Outcome } from './edgeCorpus.ts';

/** A reason is the first cell of a row of the table in `docs/http-strictness.md`; a test compares both ways. */
const differ = (reason: string, expected: Outcome, names: readonly string[]): [string, KnownDifference][] =>
  names.map((name) => [name, { engine: 'uws', reason, expected }]);

/** Where the framing of `uws` differs: judged by the library before, or after, the edge can look. */
const knownDifferences: ReadonlyMap<string, KnownDifference> = new Map([
  ...differ('Malformed header line', silent, [
    'a space before the colon', 'a space before the colon of Content-Length', 'a folded line', 'a folded line first',
    'a line without colon', 'a NUL in a value', 'a bare CR in a value', 'a bare LF in one header line', 'a NUL in a name',
    'a space in a name', 'a bracket in a name', 'bytes over 127 in a name', 'Transfer-Encoding with a vertical tab',
  ]),
  ...differ('Malformed header line', { statuses: [200], bodies: ['one'], closes: true }, ['a good request, then a malformed one']),
  ...differ('More than 98 header lines', silent, ['99 header lines']),
  ...differ('Malformed request line', refused(505), [
    'an absolute target', 'the target *', 'a target without slash', 'a tab before the target',
    'a control character in the target', 'a TLS hello', 'CONNECT',
  ]),
  ...differ('Empty line before a request', refused(505), ['an empty line first']),
  ...differ('Empty header name', refused(411), ['an empty name']),
  ...differ('Bytes behind a refused request', silent, ['two different Content-Lengths', 'a POST without a length, then bytes']),
  ...differ('High bytes around a header value', served('hi'), ['Transfer-Encoding with a trailing high byte']),
  ...differ('Chunk without its CRLF', { ...served('hi'), closes: true }, ['a chunk longer than its size', 'a chunk without its CRLF', 'chunks ended by bare LF']),
  ...differ('Chunk extension', refused(408), ['a chunk extension']),
  ...differ('Trailer', { statuses: [505], bodies: ['hi'], closes: true }, ['a trailer']),
]);

export function differenceOf(engine: EngineName, name: string): KnownDifference | null {
  const known = knownDifferences.get(name);
  return known?.engine === engine ? known : null;
}

export const DIFFERENCE_REASONS: ReadonlySet<string> = new Set([...knownDifferences.values()].map(({ reason }) => reason));
export const DIFFERENT_CASES: ReadonlySet<string> = new Set(knownDifferences.keys());
