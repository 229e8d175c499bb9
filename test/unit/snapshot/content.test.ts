import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { cutLength, gearTable, MAX_CHUNK_BYTES, MIN_CUT_BYTES } from '../../../src/snapshot/chunker.ts';
import { clientLayout, layoutProblems, leftOut } from '../../../src/snapshot/clients.ts';
import { fileKindOf } from '../../../src/snapshot/due.ts';
import { secretIn } from '../../../src/snapshot/secrets.ts';
import { sha256 } from '../../help/mainnet.ts';

const gear = gearTable();
const noise = (bytes: number, seed: number): Uint8Array => {
  const random = seededRandom(seed);
  return Uint8Array.from({ length: bytes }, () => random() * 256);
};
const cuts = (bytes: Uint8Array): Uint8Array[] => {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = cutLength(gear, bytes.subarray(at, at + MAX_CHUNK_BYTES));
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
};

describe('cuts of a stream', () => {
  const stream = noise(12 << 20, 7);

  test('keep their bounds and gather around 1 MiB', () => {
    const sizes = cuts(stream).map(({ length }) => length);
    expect(sizes.slice(0, -1).every((size) => size > MIN_CUT_BYTES && size <= MAX_CHUNK_BYTES)).toBe(true);
    expect(sizes.length).toBeGreaterThan(7);
    expect(sizes.length).toBeLessThan(18);
    expect(cuts(new Uint8Array(9 << 20)).map(({ length }) => length)).toEqual([MAX_CHUNK_BYTES, MAX_CHUNK_BYTES, 1 << 20]);
    expect(cutLength(gear, new Uint8Array(3))).toBe(3);
  });

  test('an insertion moves only those around it', () => {
    const at = 5 << 20;
    const changed = new Uint8Array([...stream.subarray(0, at), 1, 2, 3, ...stream.subarray(at)]);
    const before = new Set(cuts(stream).map((part) => Buffer.from(sha256(part)).toString('hex')));
    const fresh = cuts(changed).filter((part) => !before.has(Buffer.from(sha256(part)).toString('hex')));
    expect(fresh.length).toBeLessThanOrEqual(2);
  });

  test('are the same in every version', () => expect(Buffer.from(sha256(new Uint8Array(gear.buffer))).toString('hex').slice(0, 16)).toBe('1909c2041c8bbfa0'));
});

describe('secrets', () => {
  const keystore = JSON.stringify({ address: 'ab', crypto: { cipher: 'aes-128-ctr', ciphertext: '00', kdf: 'scrypt' }, version: 3 });
  test.each([
    ['-----BEGIN PRIVATE KEY-----\nMC4CAQ', true],
    ['x\n-----BEGIN OPENSSH PRIVATE KEY-----', true],
    ['-----BEGIN CERTIFICATE-----', false],
    ['a'.repeat(64), true],
    [`0x${'A'.repeat(64)}\n`, true],
    ['a'.repeat(63), false],
    [keystore, true],
    [JSON.stringify({ crypto: { kdf: { function: 'scrypt' }, cipher: {} } }), true],
    [JSON.stringify(Array.from({ length: 64 }, (_, i) => i)), true],
    ['[1,2,3]', false],
    ['{"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"x"}}', true],
    ['test test test test test test test test test test test junk', true],
    ['the head of this chain is at block ten', false],
    ['{"accounts":{},"block":{"number":"0x1"}}', false],
  ])('%j: %s', (text, isSecret) => expect(secretIn('data/file', text) !== null).toBe(isSecret));

  test('raw bytes by their name', () => {
    expect(secretIn('geth/some-key', '\u0001'.repeat(32))).not.toBeNull();
    expect(secretIn('geth/block', '\u0001'.repeat(32))).toBeNull();
  });

  test('noise is none', () => fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => void secretIn('a', text))));
});

describe('layouts', () => {
  test.each([
    ['geth', 'geth/nodekey', 'secret'], ['geth', 'keystore/UTC--2026', 'secret'], ['geth', 'geth/jwtsecret', 'secret'], ['geth', 'geth/LOCK', 'transient'],
    ['geth', 'geth/nodes/000001.log', 'transient'], ['geth', 'geth.ipc', 'transient'], ['geth', 'geth/chaindata/000001.log', null], ['geth', 'geth/chaindata/CURRENT', null],
    ['reth', 'discovery-secret', 'secret'], ['reth', 'jwt.hex', 'secret'], ['reth', 'db/mdbx.dat', null], ['reth', 'db/mdbx.lck', 'transient'],
    ['besu', 'key', 'secret'], ['nethermind', 'keystore/node.key.plain', 'secret'], ['other', 'tls/server.pem', 'secret'], ['anvil', 'state.json', null],
  ])('%s %s: %s', (kind, path, why) => expect(leftOut(clientLayout(kind), path)).toBe(why));

  test('what is missing or should not be there', () => {
    expect(layoutProblems('geth', ['geth/chaindata/CURRENT', 'geth/chaindata/000002.ldb'])).toEqual([]);
    expect(layoutProblems('geth', ['geth/chaindata/CURRENT', 'geth/nodekey'])).toEqual(['file geth/nodekey: holds a secret by its name', 'a table of its chaindata is missing']);
    expect(layoutProblems('other', ['a'])).toEqual([]);
  });

  test.each([['geth', 'geth/chaindata/000001.sst', 'immutable'], ['reth', 'db/mdbx.dat', 'paged'], ['anvil', 'state', 'stream'], ['x', 'a/export.rlp', 'stream'], ['x', 'geth/chaindata/000001.log', 'stream']])('%s %s is %s', (kind, path, as) =>
    expect(fileKindOf(kind, path)).toBe(as));
});
