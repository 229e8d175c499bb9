import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyMemo } from '../../../src/cache/bodyMemo.ts';
import { scanBody } from '../../../src/rpc/scan.ts';
import type { ScannedCall } from '../../../src/rpc/scan.ts';

const LIMITS = { maxBatchItems: 10, maxDepth: 64, maxMethodBytes: 64 };
const SIZE = { maxBodies: 2048, maxBodyBytes: 1024 };
const IDS = ['0', '1', '42', '9007199254740993', '12345678901234567890123456789', '""', '"a"', '"0x1"', '"a b c"', '"{}[],:"', `"${'x'.repeat(36)}"`];
const ODD = ['-1', '01', '00', '1.5', '1e2', 'null', 'true', '[1]', '{}', '"\\""', '"\\u0041"', '"é"', '"\t"', `"${'x'.repeat(60)}"`, '', '"', '1 ', ' 1'];

/** How clients write a request: the id first, in the middle, last, apart. */
const FORMS: readonly ((id: string, to: string) => string)[] = [
  (id, to) => `{"jsonrpc":"2.0","id":${id},"method":"eth_call","params":[{"to":"${to}"},"latest"]}`,
  (id, to) => `{"method":"eth_call","params":[{"to":"${to}"},"latest"],"id":${id},"jsonrpc":"2.0"}`,
  (id, to) => `{"jsonrpc": "2.0", "method": "eth_call", "params": [{"to": "${to}"}, "latest"], "id": ${id}}`,
  (id, to) => `{"id":${id},"jsonrpc":"2.0","method":"eth_call","params":[{"to":"${to}","data":"1"},"latest"]}\n`,
];
const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

function scanned(body: Buffer): { readonly call: ScannedCall; readonly idAt: number } {
  const read = scanBody(body, LIMITS);
  if (read.kind !== 'single') throw new Error(`no call: ${body.toString()}`);
  return read;
}

function learn(memo: BodyMemo<ScannedCall>, body: Buffer): void {
  const { call, idAt } = scanned(body);
  memo.put(body, idAt, call.idRaw?.length ?? 0, call);
}

/** The method, params and id that the memo tells of a body, or null. */
function told(memo: BodyMemo<ScannedCall>, body: Buffer): string | null {
  const call = memo.find(body);
  return call === null ? null : `${call.method} ${call.paramsRaw} ${body.toString('latin1', memo.idFrom, memo.idTo)}`;
}

/** The same as read in full; null where it is no call with an id. */
function read(body: Buffer): string | null {
  const whole = scanBody(body, LIMITS);
  return whole.kind === 'single' ? `${whole.call.method} ${whole.call.paramsRaw} ${whole.call.idRaw}` : null;
}

describe('a body met before', () => {
  it.each(FORMS.map((form, n) => [n, form] as const))('is known under another id, form %i', (_n, form) => {
    const memo = new BodyMemo<ScannedCall>(SIZE);
    for (const to of ['0xaa', '0xbbb', '0xcccc', '0xddddd']) learn(memo, bytes(form('1', to)));
    for (const to of ['0xaa', '0xbbb', '0xcccc', '0xddddd']) {
      for (const id of IDS) expect(told(memo, bytes(form(id, to)))).toBe(read(bytes(form(id, to))));
    }
    expect(told(memo, bytes(form('1', '0xee')))).toBeNull();
  });

  it('is known by whatever plain id it was learnt with', () => {
    for (const form of FORMS) {
      for (const first of IDS) {
        const memo = new BodyMemo<ScannedCall>(SIZE);
        learn(memo, bytes(form(first, '0xaa')));
        for (const id of IDS) expect(told(memo, bytes(form(id, '0xaa')))).toBe(read(bytes(form(id, '0xaa'))));
      }
    }
  });

  it('is not known under an id that has to be read', () => {
    for (const form of FORMS) {
      const memo = new BodyMemo<ScannedCall>(SIZE);
      learn(memo, bytes(form('1', '0xaa')));
      for (const id of ODD) expect([id, told(memo, bytes(form(id, '0xaa')))]).toEqual([id, null]);
      // nor learnt
      const other = new BodyMemo<ScannedCall>(SIZE);
      for (const id of ODD) if (read(bytes(form(id, '0xaa'))) !== null && id.trim() === id) learn(other, bytes(form(id, '0xaa')));
      expect(told(other, bytes(form('1', '0xaa')))).toBeNull();
    }
  });

  it('is forgotten when told so, and is not kept where it is long', () => {
    const memo = new BodyMemo<ScannedCall>(SIZE);
    const form = FORMS[0] as (id: string, to: string) => string;
    learn(memo, bytes(form('1', '0xaa')));
    memo.clear();
    expect(told(memo, bytes(form('1', '0xaa')))).toBeNull();
    learn(memo, bytes(form('1', `0x${'a'.repeat(1024)}`)));
    expect(told(memo, bytes(form('1', `0x${'a'.repeat(1024)}`)))).toBeNull();
    learn(memo, bytes(form('1', `0x${'a'.repeat(900)}`)));
    expect(told(memo, bytes(form('7', `0x${'a'.repeat(900)}`)))).not.toBeNull();
  });
});

describe('limits of what is remembered', () => {
  const form = FORMS[0] as (id: string, to: string) => string;
  const many = Array.from({ length: 500 }, (_none, n) => bytes(form('1', `0x${n}`)));
  const held = (memo: BodyMemo<ScannedCall>): number => many.filter((body) => told(memo, body) !== null).length;

  it.each([0, 1, 3, 100])('no more than %i bodies', (maxBodies) => {
    const memo = new BodyMemo<ScannedCall>({ ...SIZE, maxBodies });
    for (const body of many) learn(memo, body);
    expect(held(memo)).toBeLessThanOrEqual(maxBodies);
    expect(held(memo)).toBeGreaterThanOrEqual(maxBodies * 0.9);
  });

  it.each([64, 65, 66, 67, 256])('no body of more than %i bytes, wherever its id stands', (maxBodyBytes) => {
    for (const wide of FORMS) {
      const memo = new BodyMemo<ScannedCall>({ ...SIZE, maxBodyBytes });
      const fill = Math.max(0, maxBodyBytes - wide('1', '').length);
      for (const more of [0, 1]) {
        const body = bytes(wide('1', 'a'.repeat(fill + more)));
        learn(memo, body);
        expect(told(memo, body) !== null).toBe(body.length <= maxBodyBytes);
        if (body.length <= maxBodyBytes) expect(told(memo, body)).toBe(read(body));
      }
    }
  });
});

describe('a body that differs anywhere', () => {
  const patch = fc.record({ at: fc.nat(250), drop: fc.nat(3), put: fc.oneof(fc.constantFrom('', '"', '\\', '0', '9', '.', 'e', '-', ',', '}', ' ', '\0', '\0\0\0', '"id":2,'), fc.string({ maxLength: 3 })) });

  it('is told as it reads, or not at all', () => {
    fc.assert(fc.property(
      fc.constantFrom(...FORMS), fc.constantFrom(...IDS), fc.constantFrom(...IDS, ...ODD), fc.array(patch, { maxLength: 2 }),
      (form, first, second, patches) => {
        const memo = new BodyMemo<ScannedCall>(SIZE);
        for (const each of FORMS) learn(memo, bytes(each(first, '0xaa')));
        let text = form(second, '0xaa');
        for (const { at, drop, put } of patches) text = text.slice(0, at % text.length) + put + text.slice((at % text.length) + drop);
        const body = bytes(text);
        const seen = told(memo, body);
        if (seen !== null) expect(seen).toBe(read(body));
      },
    ), { numRuns: 3000 });
  });

  it('at its end by bytes that words are filled up with', () => {
    const memo = new BodyMemo<ScannedCall>(SIZE);
    for (let more = 0; more < 4; more++) {
      const text = `{"jsonrpc":"2.0","id":1,"method":"m${'m'.repeat(more)}","params":[]}`;
      learn(memo, bytes(text));
      for (let nuls = 1; nuls < 4; nuls++) expect(told(memo, bytes(text + '\0'.repeat(nuls)))).toBeNull();
    }
  });
});
