import { closeSync, ftruncateSync, fstatSync, mkdirSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { type BlockRecord, decodeLine, encodeLine, type LogHeader, type LogLine } from './record.ts';

/** Bounds of one log. Nodes replay a chain from block 0, so a log cannot lose its beginning: at a bound it is full. */
export interface LogLimits {
  readonly maxBlocks: number;
  readonly maxBytes: number;
}

export const LOG_LIMITS: LogLimits = { maxBlocks: 100_000, maxBytes: 1 << 30 };

/** Where one block's line is. */
interface Place {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly hash: string;
  readonly timestamp: number;
}

const READ_BYTES = 1 << 20;

/**
 * The chain on disk: an append-only file of lines (see `record.ts`). Memory holds hashes and offsets only. A last line that
 * a crash left torn is cut off at opening; damage anywhere else is an error. Writes are handed to the operating system
 * at once, not flushed to the medium: a crash of the process loses nothing, a power cut may lose the last blocks.
 */
export class BlockLog {
  readonly header: LogHeader;
  readonly #fd: number;
  readonly #limits: LogLimits;
  readonly #places: Place[] = [];
  #sizeBytes = 0;

  private constructor(fd: number, header: LogHeader, limits: LogLimits) {
    this.#fd = fd;
    this.header = header;
    this.#limits = limits;
  }

  /** Begins a log. One that is there already is kept beside it as `<path>.1`. */
  static create(path: string, header: LogHeader, limits: LogLimits = LOG_LIMITS): BlockLog {
    mkdirSync(dirname(path), { recursive: true });
    try {
      renameSync(path, `${path}.1`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const log = new BlockLog(openSync(path, 'wx+', 0o600), header, limits);
    log.#write({ type: 'header', header });
    return log;
  }

  /**
   * Opens a log to go on with it; null when there is none, or when it is full.
   * @throws Error naming file and line when a line before the last is damaged or out of sequence
   */
  static open(path: string, limits: LogLimits = LOG_LIMITS): BlockLog | null {
    let fd: number;
    try {
      fd = openSync(path, 'r+');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    try {
      const log = BlockLog.#load(fd, path, limits);
      if (log !== null && !log.full) return log;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return null;
  }

  /** Number of the newest block; 0 = none after genesis. */
  get tip(): number {
    return this.#places.length;
  }

  get full(): boolean {
    return this.#places.length >= this.#limits.maxBlocks || this.#sizeBytes >= this.#limits.maxBytes;
  }

  /** Hash of block `number`, 0 to `tip`. @throws RangeError outside */
  hashOf(number: number): string {
    return number === 0 ? this.header.genesisHash : this.#place(number).hash;
  }

  /** Unix seconds of block `number`, 0 to `tip`. @throws RangeError outside */
  timestampOf(number: number): number {
    return number === 0 ? this.header.genesisTimestamp : this.#place(number).timestamp;
  }

  /** Reads block `number`, 1 to `tip`, from disk. @throws RangeError outside; Error when the file was damaged since */
  read(number: number): BlockRecord {
    const { offset, sizeBytes } = this.#place(number);
    const bytes = Buffer.allocUnsafe(sizeBytes - 1);
    readSync(this.#fd, bytes, 0, bytes.length, offset);
    const line = decodeLine(bytes.toString('utf8'));
    if (line?.type !== 'block') throw new Error(`block ${number} of the log is damaged on disk`);
    return line.block;
  }

  /** Adds block `tip + 1`. @throws RangeError for another number; Error when the log is full */
  append(block: BlockRecord): void {
    if (block.number !== this.tip + 1) throw new RangeError(`block ${block.number} cannot follow block ${this.tip}`);
    if (this.full) throw new Error(`the log is full (${this.tip} blocks, ${this.#sizeBytes} bytes)`);
    const offset = this.#sizeBytes;
    const sizeBytes = this.#write({ type: 'block', block });
    this.#places.push({ offset, sizeBytes, hash: block.hash, timestamp: block.timestamp });
  }

  /** Voids the blocks from `from` (1 to `tip`) on. */
  cut(from: number): void {
    this.#place(from);
    this.#write({ type: 'cut', from });
    this.#places.length = from - 1;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #place(number: number): Place {
    const place = this.#places[number - 1];
    if (place === undefined) throw new RangeError(`block ${number} is not in the log (tip ${this.tip})`);
    return place;
  }

  #write(line: LogLine): number {
    const bytes = Buffer.from(encodeLine(line), 'utf8');
    let done = 0;
    while (done < bytes.length) done += writeSync(this.#fd, bytes, done, bytes.length - done, this.#sizeBytes + done);
    this.#sizeBytes += bytes.length;
    return bytes.length;
  }

  static #load(fd: number, path: string, limits: LogLimits): BlockLog | null {
    const total = fstatSync(fd).size;
    let log: BlockLog | null = null;
    let offset = 0;
    let lineNumber = 0;
    for (const text of linesOf(fd)) {
      lineNumber += 1;
      const sizeBytes = Buffer.byteLength(text) + 1;
      const line = decodeLine(text);
      const fits = line !== null && (log === null ? line.type === 'header' : log.#take(line, offset, sizeBytes));
      if (!fits && offset + sizeBytes < total) throw new Error(`${path}: line ${lineNumber} is damaged; remove the file to start a new chain`);
      if (!fits) break;
      if (line.type === 'header') log = new BlockLog(fd, line.header, limits);
      offset += sizeBytes;
    }
    // What is left is a last line that was not written whole.
    ftruncateSync(fd, offset);
    if (log !== null) log.#sizeBytes = offset;
    return log;
  }

  /** Takes a line read at opening; false when it cannot stand here. */
  #take(line: LogLine, offset: number, sizeBytes: number): boolean {
    if (line.type === 'cut' && line.from >= 1 && line.from <= this.tip) {
      this.#places.length = line.from - 1;
      return true;
    }
    if (line.type !== 'block' || line.block.number !== this.tip + 1) return false;
    this.#places.push({ offset, sizeBytes, hash: line.block.hash, timestamp: line.block.timestamp });
    return true;
  }
}

/** The lines of a file that end with a newline. */
function* linesOf(fd: number): Generator<string> {
  const chunk = Buffer.allocUnsafe(READ_BYTES);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let position = 0;
  for (;;) {
    const size = readSync(fd, chunk, 0, chunk.length, position);
    if (size === 0) return;
    position += size;
    const parts = (rest + decoder.write(chunk.subarray(0, size))).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}
