import { describe, expect, it } from 'vitest';
import { VERDICTS } from '../../../src/chain/errors/verdicts.ts';
import { readShared, readSharedFailure } from '../../../src/upstream/shared.ts';
import type { SharedAnswer } from '../../../src/upstream/shared.ts';

const IDS = [11, 12, 13];
const result = (id: unknown): string => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":"0x${String(id)}"}`;
const error = (id: unknown, code: number, message: string): string => JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } });

const read = (text: string, status = 200): SharedAnswer => readShared({ status, body: Buffer.from(text), retryAfterMs: 0 }, IDS);

/** What each call was given, as the text of its result; '' = nothing. */
function given(text: string): string[] {
  const body = Buffer.from(text);
  return readShared({ status: 200, body, retryAfterMs: 0 }, IDS).entries.map((entry) =>
    entry === null || entry.kind === 'bad' ? '' : body.toString('utf8', entry.start, entry.end),
  );
}

describe('matching by id', () => {
  it.each([
    ['in order', [11, 12, 13]],
    ['reversed', [13, 12, 11]],
    ['turned round', [12, 13, 11]],
  ])('%s: each call gets its own entry', (_name, ids) => {
    const text = `[${ids.map(result).join(',')}]`;
    expect(given(text)).toEqual(['"0x11"', '"0x12"', '"0x13"']);
    expect(read(text).refusal).toBeNull();
  });

  it('the error of a call is its entry', () => {
    const text = `[${result(11)},${error(12, 3, 'execution reverted')},${result(13)}]`;
    expect(read(text).entries[1]).toMatchObject({ kind: 'error', code: 3 });
    expect(read(text).refusal).toBeNull();
  });

  it.each([
    ['an entry is missing', [11, 13], ['"0x11"', '', '"0x13"']],
    ['an id occurs twice', [11, 12, 12, 13], ['"0x11"', '', '"0x13"']],
    ['an id thrice, in the place of others', [11, 11, 11], ['', '', '']],
    ['one too many', [11, 12, 13, 14], ['"0x11"', '"0x12"', '"0x13"']],
    ['ids as text', ['11', '12', '13'], ['', '', '']],
    ['ids of others', [1, 2, 3], ['', '', '']],
    ['no ids', [null, null, null], ['', '', '']],
  ])('%s: what cannot be trusted is left out, and the node is not trusted', (_name, ids, expected) => {
    const text = `[${(ids as unknown[]).map(result).join(',')}]`;
    expect(given(text)).toEqual(expected);
    expect(read(text).refusal).toBe('refused');
  });

  it('entries that are no answers are left out', () => {
    const text = `[${result(11)},7,${result(13)}]`;
    expect(given(text)).toEqual(['"0x11"', '', '"0x13"']);
    expect(read(text).refusal).toBe('refused');
  });

  it('an empty list is a refusal', () => {
    expect(read('[]')).toEqual({ entries: [null, null, null], refusal: 'refused' });
  });
});

describe('errors about the message, not about a call', () => {
  it('geth names the first call for a batch that is too large', () => {
    expect(read(`[${error(11, -32600, 'batch too large')}]`)).toEqual({ entries: [null, null, null], refusal: 'tooLarge' });
  });

  it('geth answers the first calls and finds the rest too large', () => {
    const text = `[${result(11)},${error(12, -32003, 'response too large')},${error(13, -32003, 'response too large')}]`;
    expect(given(text)).toEqual(['"0x11"', '', '']);
    expect(read(text).refusal).toBe('tooLarge');
  });

  it.each([
    [error(null, -32600, 'Batch requests are not supported'), 'refused'],
    [error(null, -32700, 'Parse error'), 'refused'],
    [error(null, -32005, 'batch size exceeded'), 'tooLarge'],
    [error(null, -32005, 'too many requests in batch'), 'tooLarge'],
    [error(11, -32601, 'method not found'), 'refused'],
    [result(11), 'refused'],
    ['{"jsonrpc":"2.0"', 'refused'],
    ['[{"jsonrpc":"2.0","id":11,"result":1}', 'refused'],
    ['[1,2', 'refused'],
  ])('%s instead of a list', (text, refusal) => {
    expect(read(text).refusal).toBe(refusal);
    expect(read(text).entries.every((entry) => entry === null)).toBe(true);
  });

  it('a limit on calls is no word about batches', () => {
    expect(read(error(null, -32005, 'rate limit exceeded')).refusal).toMatchObject({ outcome: { class: 'throttled' } });
    expect(read(error(null, -32000, 'slow down'), 429).refusal).toMatchObject({ outcome: { class: 'throttled' } });
  });
});

describe('without a JSON-RPC answer', () => {
  const of = (outcome: keyof typeof VERDICTS) => ({ outcome: VERDICTS[outcome], detail: '' });
  const cut = { outcome: { class: 'transport', retry: 'other', blame: true, unsent: false, holdMs: 0 }, detail: '' } as const;

  it.each([
    [of('httpRefused'), 400, 'refused'],
    [of('http'), 405, 'refused'],
    [of('auth'), 403, 'refused'],
    [of('badJson'), 200, 'refused'],
    [of('tooLarge'), 413, 'tooLarge'],
    [of('tooLarge'), 0, 'tooLarge'],
  ] as const)('%o with status %i is about batches, also from a node that took them', (failure, status, refusal) => {
    expect(readSharedFailure(failure, status, true)).toBe(refusal);
    expect(readSharedFailure(failure, status, false)).toBe(refusal);
  });

  it('a cut connection or an ill node is a refusal only while no batch was ever answered', () => {
    expect(readSharedFailure(cut, 0, true)).toBe(cut);
    expect(readSharedFailure(cut, 0, false)).toBe('refused');
    expect(readSharedFailure(of('http'), 502, false)).toBe('refused');
    expect(readSharedFailure(of('http'), 502, true)).toEqual(of('http'));
  });

  it('what never left, and what was limited, fails as it is', () => {
    const unsent = { ...cut, outcome: { ...cut.outcome, unsent: true } };
    expect(readSharedFailure(unsent, 0, false)).toBe(unsent);
    expect(readSharedFailure(of('throttled'), 429, true)).toEqual(of('throttled'));
  });
});
