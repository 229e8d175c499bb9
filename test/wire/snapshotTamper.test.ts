import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { runCli } from '../../src/cli/run.ts';
import type { Candidate } from '../../src/snapshot/choose.ts';
import { manifestText } from '../../src/snapshot/read.ts';
import { loadKey, loadTrust, signManifest, trustKey } from '../../src/store/keys.ts';
import { judgeManifest } from '../../src/store/manifests.ts';
import { objectName } from '../../src/store/objects.ts';
import { SeenFile } from '../../src/store/seen.ts';
import { exportSnapshot, importSnapshot, openExported } from '../../src/store/transfer.ts';
import { sha256Hex } from '../../src/store/hash.ts';
import { openJournal } from '../../src/verify/journal.ts';
import { VerifyPool } from '../../src/verify/pool.ts';
import { TestParts, TestWorld } from '../help/cliWorld.ts';
import { levelOf, scratch, Vault, writeFiles } from '../help/vault.ts';

const text = (seed: number): Buffer => {
  const random = seededRandom(seed);
  return Buffer.from(Array.from({ length: 3000 }, () => 97 + Math.floor(random() * 4)));
};
const isLinux = process.platform === 'linux';

let pool: VerifyPool;
let vault: Vault;
let good: Candidate;

beforeAll(() => {
  pool = new VerifyPool(2);
});
afterAll(() => pool.close());
beforeEach(async () => {
  vault = await Vault.open();
  const data = writeFiles(scratch(), { 'db/1.sst': text(1), 'db/2.sst': text(2), 'log.json': text(3) });
  const proofDirectory = writeFiles(scratch(), { 'blocks.ndjson': '{}\n' });
  good = (await vault.capture(data, { gzip: true, proofDirectory })).candidate;
});

const chunk = () => good.manifest.snapshot.files[0]!.chunks[0]!;
const pathOf = () => vault.store.objects.locate(chunk()).path;
const l0 = async (candidate = good) => levelOf(await vault.verify(candidate, pool), 'L0');
const put = (path: string, bytes: Uint8Array): void => {
  if (existsSync(path)) chmodSync(path, 0o644);
  writeFileSync(path, bytes);
};
const signed = (change: Partial<Candidate['manifest']['snapshot']>, key = vault.key) => signManifest({ snapshot: { ...good.manifest.snapshot, ...change }, verification: null }, key);

describe('what lies in the place of an object', () => {
  const named = () => `file db/1.sst, chunk 0: object ${objectName(chunk())} `;

  test('bytes behind a packed one', async () => {
    put(pathOf(), Buffer.concat([readFileSync(pathOf()), Buffer.of(0)]));
    expect((await l0()).why).toBe(`${named()}has 1 bytes more than it should`);
    await expect(vault.store.objects.read(chunk())).rejects.toThrow(`object ${objectName(chunk())}: `);
  });

  test.skipIf(!isLinux).each<[string, (path: string) => void, string]>([
    ['a pipe that nobody writes to', (path) => void execFileSync('mkfifo', [path]), 'is no file'],
    ['a device without end', (path) => symlinkSync('/dev/zero', path), 'is no file'],
    ['a folder', (path) => writeFiles(path, { x: 'y' }), 'is no file'],
    ['a link to itself', (path) => symlinkSync(path, path), 'cannot be read: ELOOP'],
    ['another file by a link', (path) => symlinkSync('/etc/hostname', path), 'is cut off'],
    ['a huge file', (path) => { writeFileSync(path, ''); truncateSync(path, 2 ** 36); }, 'has other bytes'],
  ])('%s', async (_name, place, why) => {
    rmSync(pathOf());
    place(pathOf());
    expect((await l0()).why).toContain(`${named()}${why}`);
    await expect(vault.store.objects.read(chunk())).rejects.toThrow();
  });

  test('a pack that grows to more than it says', async () => {
    const bomb = gzipSync(Buffer.alloc(64 << 20));
    const [file, ...rest] = good.manifest.snapshot.files;
    const lying = { ...chunk(), gzip: { sha256: sha256Hex(bomb), sizeBytes: bomb.length } };
    put(pathOf(), bomb);
    const candidate = { id: good.id, manifest: signed({ files: [{ ...file!, chunks: [lying] }, ...rest] }) };
    expect((await l0(candidate)).why).toBe(`${named()}does not unpack to 3000 bytes`);
    await expect(vault.store.objects.read(lying)).rejects.toThrow('does not unpack to what its id says');
  });
});

describe('gzip of another version', () => {
  const repacked = (): Buffer => gzipSync(gunzipSync(readFileSync(pathOf())), { level: 9 });

  test('is kept as the manifests name it, when the same bytes come again', async () => {
    const plain = gunzipSync(readFileSync(pathOf()));
    const bytes = repacked();
    expect(bytes.equals(readFileSync(pathOf()))).toBe(false);
    put(pathOf(), bytes);
    expect(await vault.store.objects.put(plain, true)).toEqual({ ...chunk(), gzip: { sha256: sha256Hex(bytes), sizeBytes: bytes.length } });
    expect(readFileSync(pathOf()).equals(bytes)).toBe(true);
    put(pathOf(), Buffer.of(1, 2, 3));
    expect(await vault.store.objects.put(plain, true)).toEqual(chunk());
    expect((await l0()).verdict).toBe('proven');
  });

  test('is not written over what other manifests need; what is damaged is mended', async () => {
    const away = join(scratch(), 'away');
    await exportSnapshot(vault.store, good, away, false);
    const exported = () => openExported(away, [{ ...vault.key, isRevoked: false }]);
    await vault.store.manifests.remove(good);
    const bytes = repacked();
    put(pathOf(), bytes);
    await expect(importSnapshot(vault.store, await exported())).rejects.toThrow('another version of gzip packed it');
    expect(readFileSync(pathOf()).equals(bytes)).toBe(true);
    put(pathOf(), Buffer.alloc(chunk().gzip!.sizeBytes));
    await importSnapshot(vault.store, await exported());
    expect((await l0()).verdict).toBe('proven');
  });
});

describe('keys', () => {
  const problem = (made: Candidate['manifest'], keys: Parameters<typeof judgeManifest>[2]) => judgeManifest(manifestText(made), null, keys).problem;

  test('one that was taken out of the trust file, or revoked, even beside itself, counts no more', async () => {
    expect(problem(good.manifest, [{ ...vault.key, isRevoked: false }])).toBeNull();
    expect(problem(good.manifest, [])).toContain('is not in the trust file');
    expect(problem(good.manifest, [{ ...vault.key, isRevoked: true }])).toContain('is revoked');
    const path = join(scratch(), 'trust.json');
    const { keyId, publicKey } = vault.key;
    writeFileSync(path, JSON.stringify([{ keyId, publicKey, isRevoked: false }, { keyId, publicKey, isRevoked: true }]));
    await expect(loadTrust(path)).rejects.toThrow('entry 1 has the keyId of entry 0');
  });

  test.each<[string, string]>([
    ['{', 'is not JSON'], ['{}', 'is not a list'], ['[null]', 'entry 0 needs'], ['[{"keyId":"x"}]', 'entry 0 needs'],
    [JSON.stringify([{ keyId: 'a'.repeat(64), publicKey: 'b'.repeat(64) }]), 'entry 0 needs'], [JSON.stringify([{ keyId: 'A'.repeat(64), publicKey: 'b'.repeat(64), isRevoked: false }]), 'entry 0 needs'],
  ])('a trust file with %s', async (content, why) => {
    const path = join(writeFiles(scratch(), { 'trust.json': content }), 'trust.json');
    await expect(loadTrust(path)).rejects.toThrow(`${path}: ${why}`);
  });

  test('a public key that is no point of the curve vouches for nothing', () => {
    const publicKey = 'f'.repeat(64);
    const keyId = sha256Hex(Buffer.from(publicKey, 'hex'));
    expect(problem({ ...good.manifest, signatures: [{ keyId, value: '0'.repeat(128) }] }, [{ keyId, publicKey, isRevoked: false }])).toContain('the manifest was changed');
  });

  test('a manifest that they do not vouch for is not written', async () => {
    const stranger = await loadKey(join(scratch(), 'key'));
    const forged = { id: good.id, manifest: signed({}, stranger) };
    await expect(vault.store.manifests.replace(forged)).rejects.toThrow('is not in the trust file');
    await expect(vault.store.manifests.add(forged)).rejects.toThrow('is not in the trust file');
    expect(await vault.store.trusted('demo')).toHaveLength(1);
  });
});

test('what was seen that is not what was seen is said so', async () => {
  for (const content of ['null', '[1]', '{"demo":null}', '{"demo":{"sequence":"2","id":"a"}}', '{']) {
    const path = join(writeFiles(scratch(), { seen: content }), 'seen');
    await expect(new SeenFile(path).of('demo')).rejects.toThrow(`${path}: `);
  }
});

test('a snapshot that names another genesis than the chain is refused, whatever was captured', async () => {
  const anchors = { checkpoints: [{ number: 0, hash: `0x${'9'.repeat(64)}`, from: 'genesis' }], peers: [] };
  const proof = await vault.verify(good, pool, { anchors });
  expect(levelOf(proof, 'L3')).toMatchObject({ verdict: 'failed', why: expect.stringContaining('snapshot.chain.genesisHash: is ') });
});

test('a journal that cannot be written only costs time', async () => {
  const blocked = join(writeFiles(scratch(), { file: '' }), 'file', 'progress');
  const journal = openJournal(blocked, good.id, 1);
  expect(levelOf(await vault.verify(good, pool, { journal }), 'L0').verdict).toBe('proven');
  journal.finish();
});

test('each bit of a manifest', async () => {
  const original = Buffer.from(manifestText(good.manifest));
  const keys = [{ ...vault.key, isRevoked: false }];
  const random = seededRandom(11);
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.from(original);
    const bit = Math.floor(random() * bytes.length * 8);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    expect(judgeManifest(bytes.toString('utf8'), null, keys).problem).toMatch(/^manifest: /);
  }
});

describe('offline, with nothing but an export and a trust file', () => {
  let away: string;
  let trust: string;
  beforeEach(async () => {
    away = join(scratch(), 'away');
    trust = join(scratch(), 'trust.json');
    await exportSnapshot(vault.store, good, away, false);
    await trustKey(trust, vault.key);
  });
  const run = async (...words: string[]) => {
    const world = new TestWorld();
    const code = await runCli(['snapshot', ...words, '--trust', trust, '--key', join(scratch(), 'none')], world, new TestParts());
    return { code, out: world.outLines.join('\n'), err: world.errLines.join('\n') };
  };
  const filesIn = (folder: string): string[] => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));

  test('each file with a bit changed, left out, or cut off, is told by name, with exit code 1', async () => {
    expect((await run('verify', '--offline', away)).out).toMatch(/L0 +proven/);
    for (const path of filesIn(away)) {
      const copy = join(scratch(), 'copy');
      const whole = readFileSync(path);
      const changes: ((target: string) => void)[] = [
        (target) => { whole[whole.length >> 1]! ^= 4; put(target, whole); whole[whole.length >> 1]! ^= 4; },
        (target) => rmSync(target),
        (target) => put(target, whole.subarray(0, -1)),
      ];
      for (const change of changes) {
        rmSync(copy, { recursive: true, force: true });
        cpSync(away, copy, { recursive: true });
        change(join(copy, path.slice(away.length)));
        const { code, out, err } = await run('verify', '--offline', copy);
        expect([code, `${out}\n${err}`]).toEqual([1, expect.stringMatching(/manifest|object [0-9a-f]{64}\.(gz|raw) /)]);
        const into = await run('import', copy, '--store', join(scratch(), 'store'));
        expect([into.code, into.err]).toEqual([1, expect.stringMatching(/manifest|object [0-9a-f]{64}\.(gz|raw): /)]);
      }
    }
  });

  test('as JSON; what is only not proven is exit code 3, a key that is not trusted 1', async () => {
    const { code, out } = await run('verify', '--offline', away, '--json');
    expect(code).toBe(1);
    const { id, verification } = JSON.parse(out) as { id: string; verification: { levels: { level: string; verdict: string; why: string }[] } };
    expect([id, verification.levels[0]!.verdict, verification.levels[3]]).toEqual([good.id, 'proven', expect.objectContaining({ level: 'L3', verdict: 'failed', why: expect.stringContaining('block') })]);
    rmSync(away, { recursive: true });
    const bare = (await vault.capture(writeFiles(scratch(), { a: 'b' }))).candidate;
    await exportSnapshot(vault.store, bare, away, false);
    expect(await run('verify', '--offline', away)).toMatchObject({ code: 3 });
    writeFileSync(trust, '[]');
    expect(await run('verify', '--offline', away)).toMatchObject({ code: 1, out: expect.stringContaining('is not in the trust file') });
    expect(await run('verify', '--offline', vault.root)).toMatchObject({ code: 1, err: expect.stringContaining('is a store, not an export') });
  });

  test('a store without a signing key is verified, and loses nothing by it', async () => {
    const path = (await vault.store.manifests.list())[0]!.path;
    const before = readFileSync(path, 'utf8');
    const { code, err, out } = await run('verify', good.id, '--store', vault.root, '--chain', 'demo');
    expect([code, err]).toEqual([1, expect.stringContaining('not recorded: there is no signing key')]);
    expect(out).toMatch(/L0 +proven/);
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(await vault.store.trusted('demo')).toHaveLength(1);
  });

  test('an old state of a store, and a snapshot on a parent that is not the newest, are refused', async () => {
    const next = async (sequence: number, parent: Candidate): Promise<Candidate> => {
      const { head } = parent.manifest.snapshot;
      const manifest = signed({ sequence, kind: 'incremental', parent: { id: parent.id, sequence: parent.manifest.snapshot.sequence, headNumber: head.number, headHash: head.hash } });
      const candidate = judgeManifest(manifestText(manifest), null, [{ ...vault.key, isRevoked: false }]).candidate!;
      await vault.store.manifests.add(candidate);
      return candidate;
    };
    const at = ['--store', vault.root, '--chain', 'demo'];
    const second = await next(2, good);
    const third = await next(3, good);
    expect((await run('verify', third.id, ...at)).out).toContain(`parent: ${good.id.slice(0, 12)} is stale, ${second.id.slice(0, 12)} is between`);
    await new SeenFile(`${trust}.seen`).note('demo', { sequence: 3, id: third.id });
    await vault.store.manifests.remove(third);
    for (const { id } of [good, second]) {
      const { code, out } = await run('verify', id, ...at);
      expect([code, out]).toEqual([1, expect.stringMatching(/L0 +failed +the newest snapshot is 2, but 3 .*is replayed/)]);
      expect(await run('restore', id, join(scratch(), 'into'), ...at)).toMatchObject({ code: 1, err: expect.stringContaining('is replayed') });
      expect(await run('export', id, join(scratch(), 'out'), ...at)).toMatchObject({ code: 1, err: expect.stringContaining('is replayed') });
    }
  });
});

test.each<[string, string, string, RegExp]>([
  ['by its name', 'geth/nodekey', 'anything', /^file geth\/nodekey: holds a secret by its name/],
  ['by what is in it', 'db/notes', `${'a'.repeat(64)}\n`, /^file db\/notes: seems to hold 32 bytes in hex/],
])('a secret in a snapshot that somebody signed is found %s', async (_name, path, content, why) => {
  const stored = await vault.store.objects.put(Buffer.from(content), false);
  const secret = { path, mode: 0o600, sizeBytes: content.length, kind: 'stream' as const, chunks: [stored] };
  const files = [...good.manifest.snapshot.files, secret].sort((a, b) => (a.path < b.path ? -1 : 1));
  expect(levelOf(await vault.verify({ id: good.id, manifest: signed({ files }) }, pool), 'L1')).toMatchObject({ verdict: 'failed', why: expect.stringMatching(why) });
});
