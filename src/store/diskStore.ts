import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { open } from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';
import { makeFolder } from '../observe/folder.ts';
import type { Entry } from '../cache/entry.ts';
import type { FlushScope } from '../cache/store.ts';
import { decodeRecord, encodeRecord, headOf, isOfMethod, isWhole } from './record.ts';

/** Answers of one chain are kept under this many bytes of its name. */
const SPACE_BYTES = 8;
const HASH_BYTES = 16;
/** What a record costs the file beside its bytes: its keys, its place in the order, the rest of its page; measured. */
const RECORD_BYTES = 200;
/** Answers that wait to be written; beyond it they are not. */
const MAX_WAITING = 4096;
/** Writes in one transaction. */
const MAX_BATCH = 256;
/** Time in which writes gather. */
const GATHER_MS = 100;

export interface DiskOptions {
  /** The file; beside it stands one with `-lock` behind its name. */
  readonly path: string;
  /** Bytes of answers; the oldest go first. The file is somewhat larger. */
  readonly maxBytes: number;
}

/** Is told what becomes of the file. */
export interface DiskListener {
  /** It is used no more, for good. */
  onFailed(reason: string): void;
  onEvicted(entries: number): void;
}

/**
 * Second tier: final and static answers in a file that several processes share and that survives them. LMDB does not check
 * its pages: each record brings key and checksum, and a damaged one is a miss. Whatever fails ends the use of the file,
 * never the process; what a fault in the mapped file does to a process (SIGBUS) is up to who watches it.
 */
export class DiskStore {
  readonly path: string;
  #up = true;
  readonly #env: RootDatabase<Buffer, Buffer>;
  readonly #answers: Database<Buffer, Buffer>;
  readonly #order: Database<Buffer, Buffer>;
  readonly #maxBytes: number;
  readonly #listener: DiskListener;
  readonly #waiting = new Map<string, readonly [key: Buffer, record: Buffer]>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #serial = 0;

  /** @throws Error when the file cannot be opened */
  constructor({ path, maxBytes }: DiskOptions, listener: DiskListener) {
    this.path = path;
    this.#maxBytes = maxBytes;
    this.#listener = listener;
    makeFolder(dirname(path));
    // a batch for each turn of the event loop makes a promise of its own, which nobody could catch when the disk is full
    this.#env = open<Buffer, Buffer>({ path, noSubdir: true, maxDbs: 4, encoding: 'binary', keyEncoding: 'binary', eventTurnBatching: false });
    this.#answers = this.#env.openDB<Buffer, Buffer>({ name: 'answers', encoding: 'binary', keyEncoding: 'binary' });
    this.#order = this.#env.openDB<Buffer, Buffer>({ name: 'order', encoding: 'binary', keyEncoding: 'binary' });
  }

  get up(): boolean {
    return this.#up;
  }

  /** @param space what tells the chain apart: chain id and genesis hash */
  get(space: string, key: string): Entry | null {
    if (!this.#up) return null;
    try {
      const bytes = this.#answers.getBinaryFast(keyOf(space, key));
      return bytes === undefined ? null : decodeRecord(bytes, key);
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  /** Written within a moment, in the background. @returns false when it is not going to be */
  put(space: string, entry: Entry): boolean {
    if (!this.#up || this.#waiting.size >= MAX_WAITING) return false;
    const key = keyOf(space, entry.key);
    this.#waiting.set(key.toString('latin1'), [key, encodeRecord(entry)]);
    this.#timer ??= setTimeout(() => this.#write(), GATHER_MS);
    return true;
  }

  /** A small text under a name, kept as long as the file. */
  note(name: string): string | null {
    const entry = this.get('note', name);
    return entry === null ? null : entry.value.toString('utf8');
  }

  setNote(name: string, text: string): void {
    if (!this.#up) return;
    const record = encodeRecord({ key: name, value: Buffer.from(text), isError: false, bond: 'static', number: -1, hash: '', askedMs: 0, class: 'static' });
    void this.#run(() => void this.#answers.put(keyOf('note', name), record));
  }

  /** Drops answers of one chain. @returns how many went */
  async flush(space: string, { method, fromNumber }: FlushScope): Promise<number> {
    const start = spaceOf(space);
    const end = Buffer.concat([start, Buffer.alloc(HASH_BYTES + 1, 0xff)]);
    let gone = 0;
    for (const [, [key]] of this.#waiting) if (key.subarray(0, SPACE_BYTES).equals(start)) this.#waiting.delete(key.toString('latin1'));
    await this.#run(() => {
      for (const { key, value } of [...this.#answers.getRange({ start, end })]) {
        const isKept = isWhole(value) && ((fromNumber !== undefined && (headOf(value).isStatic || headOf(value).number < fromNumber)) || (method !== undefined && !isOfMethod(value, method)));
        if (isKept) continue;
        this.#answers.remove(key);
        gone++;
      }
    });
    return gone;
  }

  /** Resolves when what was put before is written. */
  async settled(): Promise<void> {
    while (this.#waiting.size > 0) {
      this.#write();
      await this.#writing;
    }
    await this.#writing;
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    if (this.#up) await this.settled();
    const closed = this.#env.close().catch(() => undefined);
    // after a failed write it may wait for that write for ever
    if (this.#up) await closed;
    this.#up = false;
  }

  #write(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = [...this.#waiting].slice(0, MAX_BATCH);
    if (batch.length === 0) return;
    for (const [name] of batch) this.#waiting.delete(name);
    void this.#run(() => this.#insert(batch.map(([, pair]) => pair)));
    if (this.#waiting.size > 0) this.#timer = setTimeout(() => this.#write(), 0);
  }

  /** Runs in a transaction. */
  #insert(pairs: readonly (readonly [Buffer, Buffer])[]): void {
    let bytes = this.#bytes();
    for (const [key, record] of pairs) {
      if (this.#answers.getBinaryFast(key) !== undefined) this.#answers.remove(key);
      this.#answers.put(key, record);
      const size = Buffer.alloc(4);
      size.writeUInt32BE(record.length + RECORD_BYTES);
      this.#order.put(this.#place(), Buffer.concat([size, key]));
      bytes += record.length + RECORD_BYTES;
    }
    let evicted = 0;
    if (bytes > this.#maxBytes) {
      for (const { key, value } of [...this.#order.getRange({ limit: pairs.length + MAX_BATCH })]) {
        if (bytes <= this.#maxBytes) break;
        bytes -= value.readUInt32BE(0);
        this.#answers.remove(Buffer.from(value.subarray(4)));
        this.#order.remove(key);
        evicted++;
      }
    }
    const sum = Buffer.alloc(8);
    sum.writeDoubleBE(Math.max(0, bytes));
    this.#answers.put(BYTES_KEY, sum);
    if (evicted > 0) this.#listener.onEvicted(evicted);
  }

  #bytes(): number {
    const sum = this.#answers.getBinaryFast(BYTES_KEY);
    return sum === undefined || sum.length !== 8 ? 0 : sum.readDoubleBE(0);
  }

  /** A place at the end of the order; no two processes have the same. */
  #place(): Buffer {
    const place = Buffer.alloc(16);
    place.writeDoubleBE(Date.now(), 0);
    place.writeUInt32BE(++this.#serial, 8);
    place.writeUInt32BE(process.pid, 12);
    return place;
  }

  #run(change: () => void): Promise<void> {
    if (!this.#up) return Promise.resolve();
    this.#writing = this.#writing
      .then(() => (this.#up ? this.#env.transaction(change) : undefined))
      .catch((error: unknown) => this.#fail(error));
    return this.#writing;
  }

  #fail(error: unknown): void {
    if (!this.#up) return;
    this.#up = false;
    this.#waiting.clear();
    // LMDB's own reason comes later, as a promise
    const cause = (error as { readonly commitError?: unknown } | null)?.commitError;
    if (cause instanceof Promise) cause.catch(() => undefined);
    this.#listener.onFailed(cause instanceof Promise ? 'a write failed, as on a full disk' : error instanceof Error ? error.message : String(error));
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'latin1').digest();
const spaceOf = (space: string): Buffer => sha256(space).subarray(0, SPACE_BYTES);
const keyOf = (space: string, key: string): Buffer => Buffer.concat([spaceOf(space), sha256(key).subarray(0, HASH_BYTES)]);
const BYTES_KEY = Buffer.concat([spaceOf('sum'), Buffer.from('bytes')]);
