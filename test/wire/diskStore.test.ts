import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import type { Entry } from '../../src/cache/entry.ts';
import { DiskStore } from '../../src/store/diskStore.ts';
import { checkFile } from '../../src/store/fileCheck.ts';
import { decodeRecord, encodeRecord } from '../../src/store/record.ts';

const SPACE = '1/0xgenesis';
const opened: DiskStore[] = [];
const faults: string[] = [];
let evicted = 0;

const fresh = (): string => join(mkdtempSync(join(tmpdir(), 'tidegate-disk-')), 'answers.mdb');
function open(path: string, maxBytes = 1 << 24): DiskStore {
  const store = new DiskStore({ path, maxBytes }, { onFailed: (reason) => faults.push(reason), onEvicted: (n) => { evicted += n; } });
  opened.push(store);
  return store;
}
const answer = (n: number, text = `"0x${n.toString(16).repeat(40)}"`): Entry => ({
  key: `eth_getBalance\n"0x${n}",@\n#${n}`, value: Buffer.from(text), isError: false, bond: 'block', number: n, hash: `0x${'ab'.repeat(32)}`, askedMs: 0, class: 'finalized',
});
/** Writes so many answers and closes the file. */
async function filled(path: string, count: number): Promise<void> {
  const store = open(path);
  for (let n = 0; n < count; n++) {
    store.put(SPACE, answer(n));
    if (n % 1000 === 999) await store.settled();
  }
  await store.close();
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  faults.length = 0;
  evicted = 0;
});

describe('a file of stored answers', () => {
  it('gives back what was put, after it was opened anew, to the right chain only', async () => {
    const path = fresh();
    await filled(path, 300);
    expect(await checkFile(path)).toBeNull();
    const store = open(path);
    for (let n = 0; n < 300; n++) expect(store.get(SPACE, answer(n).key)).toEqual(answer(n));
    expect(store.get('1/0xother', answer(5).key)).toBeNull();
    expect(store.get(SPACE, answer(300).key)).toBeNull();
  });

  it('is shared: what one writes another reads', async () => {
    const path = fresh();
    const [one, other] = [open(path), open(path)];
    one.put(SPACE, answer(1));
    await one.settled();
    expect(other.get(SPACE, answer(1).key)).toEqual(answer(1));
  });

  it('stays within its bytes, oldest out first', async () => {
    const path = fresh();
    const store = open(path, 1 << 20);
    for (let n = 0; n < 12_000; n++) {
      store.put(SPACE, answer(n));
      if (n % 1000 === 999) await store.settled();
    }
    expect(evicted).toBeGreaterThan(5000);
    expect(store.get(SPACE, answer(0).key)).toBeNull();
    expect(store.get(SPACE, answer(11_999).key)).not.toBeNull();
    expect(statSync(path).size).toBeLessThan(4 << 20);
    expect(faults).toEqual([]);
  });

  it('drops by height and method', async () => {
    const store = open(fresh());
    for (let n = 0; n < 20; n++) store.put(SPACE, answer(n));
    store.put(SPACE, { ...answer(3), key: 'eth_getCode\n"0x3",@\n#3' });
    await store.settled();
    expect(await store.flush(SPACE, { fromNumber: 15 })).toBe(5);
    expect(store.get(SPACE, answer(14).key)).not.toBeNull();
    expect(store.get(SPACE, answer(15).key)).toBeNull();
    expect(await store.flush(SPACE, { method: 'eth_getCode' })).toBe(1);
    expect(await store.flush('1/0xother', {})).toBe(0);
    expect(await store.flush(SPACE, {})).toBe(15);
  });

  it('remembers notes', async () => {
    const path = fresh();
    const store = open(path);
    store.setNote('main', '{"a":1}');
    await store.close();
    expect(open(path).note('main')).toBe('{"a":1}');
  });
});

describe('damage', () => {
  it('any changed byte of a record makes it a miss', () => {
    const entry = answer(7);
    const record = encodeRecord(entry);
    expect(decodeRecord(record, entry.key)).toEqual(entry);
    for (let at = 0; at < record.length; at++) {
      const bad = Buffer.from(record);
      bad[at] = (bad[at] as number) ^ 0x10;
      expect(decodeRecord(bad, entry.key)).toBeNull();
    }
    for (let length = 0; length < record.length; length += 7) expect(decodeRecord(record.subarray(0, length), entry.key)).toBeNull();
    expect(decodeRecord(record, answer(8).key)).toBeNull();
  });

  it('of values in the file gives no wrong answer', async () => {
    const path = fresh();
    await filled(path, 2000);
    const bytes = readFileSync(path);
    const random = seededRandom(41);
    for (let flips = 0; flips < 400; flips++) {
      const at = bytes.indexOf('"0x', Math.floor(random() * bytes.length));
      if (at > 0) bytes[at + 5] = (bytes[at + 5] as number) ^ 1;
    }
    writeFileSync(path, bytes);
    const fault = await checkFile(path);
    const store = open(path);
    let found = 0;
    for (let n = 0; n < 2000; n++) {
      const got = store.get(SPACE, answer(n).key);
      if (got === null) continue;
      expect(got).toEqual(answer(n));
      found++;
    }
    expect(found).toBeLessThan(2000);
    if (fault === null) expect(found).toBeGreaterThan(1000);
  });

  it.each([0, 1, 4096, 5000, 40_000])('a file cut to %i bytes is set aside, or harmless', async (length) => {
    const path = fresh();
    await filled(path, 2000);
    expect(statSync(path).size).toBeGreaterThan(100_000);
    truncateSync(path, length);
    const fault = await checkFile(path);
    if (length > 0) expect([fault === null, existsSync(`${path}.damaged`)]).toEqual([false, true]);
    const store = open(path);
    for (let n = 0; n < 2000; n += 50) expect([null, answer(n).value.toString()]).toContain(store.get(SPACE, answer(n).key)?.value.toString() ?? null);
    store.put(SPACE, answer(5000));
    await store.settled();
    expect(store.get(SPACE, answer(5000).key)).toEqual(answer(5000));
  });

  it.each([11, 12, 13, 14, 15, 16])('pages overwritten at random (seed %i) kill no edge', async (seed) => {
    const path = fresh();
    await filled(path, 1000);
    const random = seededRandom(seed);
    const file = openSync(path, 'r+');
    const pages = Math.floor(statSync(path).size / 4096);
    for (let i = 0; i < 4; i++) {
      const noise = Buffer.from(Array.from({ length: 4096 }, () => Math.floor(random() * 256)));
      writeSync(file, noise, 0, 4096, (2 + Math.floor(random() * (pages - 2))) * 4096);
    }
    closeSync(file);
    await checkFile(path);
    const store = open(path);
    for (let n = 0; n < 1000; n++) {
      const got = store.get(SPACE, answer(n).key);
      if (got !== null) expect(got).toEqual(answer(n));
    }
  });

  it('a file that cannot be opened is told, not thrown at whoever calls', async () => {
    const path = fresh();
    writeFileSync(path, 'this is no database'.repeat(1000));
    expect(await checkFile(path)).not.toBeNull();
    expect(open(path).up).toBe(true);
  });
});
