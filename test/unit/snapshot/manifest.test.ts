import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalText } from '../../../src/snapshot/canonical.ts';
import type { Manifest } from '../../../src/snapshot/manifest.ts';
import { manifestText, readManifest, unsafePath } from '../../../src/snapshot/read.ts';
import { distrust, signedBytes } from '../../../src/snapshot/sign.ts';
import { file, manifest, word } from '../../help/snapshot.ts';

const problem = (made: Manifest): string | null => {
  const read = readManifest(manifestText(made));
  return 'problem' in read ? read.problem : null;
};

describe('canonical text', () => {
  test('does not depend on the order of members and is JSON', () =>
    fc.assert(fc.property(fc.jsonValue({ noUnicodeString: false } as never), (value) => {
      const text = (() => { try { return canonicalText(value); } catch { return null; } })();
      if (text === null) return;
      expect(JSON.parse(text)).toEqual(value);
      const turned = (part: unknown): unknown =>
        Array.isArray(part) ? part.map(turned) : typeof part === 'object' && part !== null ? Object.fromEntries(Object.entries(part).reverse().map(([key, item]) => [key, turned(item)])) : part;
      expect(canonicalText(turned(value))).toBe(text);
    })));

  test.each([1.5, Number.NaN, 2 ** 53, -0, undefined, '\ud800', () => 1])('there is none for %s', (value) => expect(() => canonicalText({ value })).toThrow(TypeError));
});

describe('reading', () => {
  test('gives back what was written', () => expect(readManifest(manifestText(manifest()))).toEqual({ manifest: manifest() }));

  test.each<[string, Manifest]>([
    ['snapshot.tree.leafCount: is 2, but there are 4 leaves', { ...manifest(), snapshot: { ...manifest().snapshot, proof: [file('a')] } }],
    ['snapshot.files: holds no file', manifest({ files: [], proof: [file('a')] })],
    ['snapshot.files[0] "../x" leaves its folder', manifest({ files: [file('../x')] })],
    ['snapshot.files[1] "a" is not in order or occurs twice', manifest({ files: [file('b'), file('a')] })],
    ['snapshot.files[0] "a" has 5 bytes, but its chunks have 1', manifest({ files: [{ ...file('a'), sizeBytes: 5 }] })],
    ['snapshot.parent: only an incremental snapshot has one, and it needs it', manifest({ kind: 'incremental' })],
    ['snapshot.parent.sequence: 3 is not before 2', manifest({ kind: 'incremental', sequence: 2, parent: { id: 'a'.repeat(64), sequence: 3, headNumber: 1, headHash: word('1') } })],
    ['snapshot.parent.headNumber: 11 is above its own head 10', manifest({ kind: 'incremental', sequence: 4, parent: { id: 'a'.repeat(64), sequence: 3, headNumber: 11, headHash: word('1') } })],
  ])('%s', (message, made) => expect(problem(made)).toBe(message));

  test('each wrong value is named with its place', () => {
    const set = (path: string, value: unknown): Manifest => {
      const made = structuredClone(manifest()) as unknown as Record<string, never>;
      const keys = path.split('.');
      const last = keys.pop()!;
      const at = keys.reduce<Record<string, unknown>>((tree, key) => tree[key] as Record<string, unknown>, made);
      at[last] = value;
      return made as unknown as Manifest;
    };
    for (const path of ['snapshot.sequence', 'snapshot.chain.genesisHash', 'snapshot.head.hash', 'snapshot.files.0.chunks.0.id', 'snapshot.tree.root', 'verification', 'snapshot.files.0.mode', 'snapshot.client.kind'])
      expect(problem(set(path, 'X Y'))).toContain(`${path.replace(/\.(\d+)/g, '[$1]')}: `);
    expect(problem(set('snapshot.version', 2))).toBe('snapshot.version: must be 1: another version of Tidegate wrote this');
    expect(problem(set('snapshot.extra', 1))).toContain('snapshot: ');
  });

  test('a file below a file is refused, however many names lie between', () =>
    expect(problem(manifest({ files: [file('a'), file('a.b'), file('a/c/d')] }))).toBe('snapshot.files[2] "a/c/d" is below a path that is a file'));

  test.each<[string, (text: string) => string, string | RegExp]>([
    ['a member twice', (text) => text.replace('"sequence":1', '"sequence":1,"sequence":1'), 'is not in canonical form'],
    ['a member of the prototype', (text) => text.replace('"sequence":1', '"__proto__":1,"sequence":1'), /snapshot: |canonical/],
    ['a number in another form', (text) => text.replace('"sequence":1', '"sequence":1.0'), 'is not in canonical form'],
    ['minus zero', (text) => text.replace('"mode":420', '"mode":-0'), 'is not in canonical form'],
    ['half a surrogate pair', (text) => text.replace('"source":"node-1"', '"source":"\\ud800"'), 'is not in canonical form'],
    ['a number over 2^53', (text) => text.replace('"number":10', '"number":9007199254740993'), /snapshot\.head\.number: /],
    ['one that is not finite', (text) => text.replace('"number":10', '"number":1e999'), /snapshot\.head\.number: /],
    ['a negative size', (text) => text.replace(/"sizeBytes":\d+/, '"sizeBytes":-1'), /sizeBytes: /],
    ['a chunk that is too large', (text) => text.replace(/"sizeBytes":\d+/, '"sizeBytes":4194305'), /sizeBytes: /],
    ['null', () => 'null\n', /./],
    ['no end', () => '['.repeat(100_000), 'is not JSON'],
  ])('%s', (_name, change, why) => {
    const text = manifestText(manifest());
    const read = readManifest(change(text));
    expect(change(text)).not.toBe(text);
    expect('problem' in read ? read.problem : null).toEqual(typeof why === 'string' ? why : expect.stringMatching(why));
  });

  test('another text for the same values is refused', () => {
    expect(readManifest(JSON.stringify(manifest(), null, 1))).toEqual({ problem: 'is not in canonical form' });
    expect(readManifest('{')).toEqual({ problem: 'is not JSON' });
  });

  test.each([['a/b', true], ['/a', false], ['a//b', false], ['./a', false], ['a/..', false], ['a\\b', false], ['a\u0000', false], ['', false], ['..a/b..', true]])('path %j', (path, isSafe) =>
    expect(unsafePath(path) === null).toBe(isSafe));
});

describe('signatures', () => {
  const pair = generateKeyPairSync('ed25519');
  const raw = (pair.publicKey.export({ format: 'der', type: 'spki' }) as Buffer).subarray(-32).toString('hex');
  const key = { keyId: 'a'.repeat(64), publicKey: raw, isRevoked: false };
  const check = (publicKey: string, message: Uint8Array, signature: string): boolean =>
    verify(null, message, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey, 'hex').toString('base64url') }, format: 'jwk' }), Buffer.from(signature, 'hex'));
  const signed = (made: Manifest): Manifest => ({ ...made, signatures: [{ keyId: key.keyId, value: sign(null, signedBytes(made), pair.privateKey).toString('hex') }] });

  test('a good one of a trusted key is enough', () => expect(distrust(signed(manifest()), [key], check)).toBeNull());
  test('none, an unknown key, a revoked one', () => {
    expect(distrust(manifest(), [key], check)).toBe('it is not signed');
    expect(distrust(signed(manifest()), [], check)).toContain('is not in the trust file');
    expect(distrust(signed(manifest()), [{ ...key, isRevoked: true }], check)).toContain('is revoked');
  });
  test('what is signed and what was proven', () => {
    const good = signed(manifest({}, ['L0']));
    expect(distrust({ ...good, verification: { atMs: 2, levels: [] } }, [key], check)).toContain('the manifest was changed');
    expect(distrust({ ...good, snapshot: { ...good.snapshot, sequence: 9 } }, [key], check)).toContain('the manifest was changed');
    const unknown = { keyId: 'b'.repeat(64), value: '0'.repeat(128) };
    expect(distrust({ ...good, signatures: [...good.signatures, unknown] }, [key], check)).toBeNull();
  });
});
