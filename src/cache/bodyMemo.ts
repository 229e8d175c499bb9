import { hashWords } from '../base/hash.ts';

/** An id longer than this is not recognised. */
const MAX_ID_BYTES = 40;
/** Places of the id that are tried, the last ones met. */
const MAX_PLACES = 4;
/** An id that begins after so many bytes is looked for from the end. */
const FRONT_BYTES = 64;

const QUOTE = 0x22;
const ZERO = 0x30;
const BACKSLASH = 0x5c;

/** How much is remembered. */
export interface BodyLimits {
  /** Bodies; 0 = none. Each has one slot, and those that meet in one replace each other. */
  readonly maxBodies: number;
  /** Bytes of one; longer ones are not remembered. */
  readonly maxBodyBytes: number;
}

interface Known<T> {
  readonly words: Int32Array;
  /** Bytes of the body without the id. */
  readonly restBytes: number;
  readonly idFrom: number;
  readonly value: T;
}

/**
 * What was made of request bodies, by their exact bytes but for the id. Where every byte around the id is one that was read in
 * full before, and the id is a whole number or a string of plain ASCII, the body is the same JSON with another id: nothing of
 * it need be read again. Any other body, or id, is not recognised.
 */
export class BodyMemo<T> {
  /** Where the id of the body found last begins and ends. */
  idFrom = 0;
  idTo = 0;
  private readonly bytes: Uint8Array;
  private readonly words: Int32Array;
  private readonly slots: (Known<T> | null)[];
  private readonly maxBytes: number;
  /** From the start where at least 0; else `~n` = the id ends n bytes before the end. */
  private readonly places: number[] = [];
  private oldest = 0;

  constructor({ maxBodies, maxBodyBytes }: BodyLimits) {
    this.maxBytes = maxBodies === 0 ? -1 : maxBodyBytes;
    // whole words, and room for the gap where the id stood
    this.bytes = new Uint8Array((maxBodyBytes + 11) & ~3);
    this.words = new Int32Array(this.bytes.buffer);
    this.slots = new Array<Known<T> | null>(maxBodies).fill(null);
  }

  /** Hot: what was remembered of a body, or null. */
  find(body: Uint8Array): T | null {
    if (body.length > this.maxBytes) return null;
    for (const place of this.places) {
      if (!(place >= 0 ? this.spanFrom(body, place) : this.spanTo(body, body.length - ~place))) continue;
      const count = this.lay(body);
      const known = this.slots[this.slotOf(count)] as Known<T> | null;
      if (known !== null && this.isSame(known, count, body.length)) return known.value;
    }
    return null;
  }

  /**
   * Remembers a body that was found valid.
   * @param idFrom where its id begins
   * @param idBytes of the id as it stands there
   */
  put(body: Uint8Array, idFrom: number, idBytes: number, value: T): void {
    if (body.length > this.maxBytes || !this.spanFrom(body, idFrom) || this.idTo - idFrom !== idBytes) return;
    this.note(idFrom <= FRONT_BYTES ? idFrom : ~(body.length - this.idTo));
    const count = this.lay(body);
    this.slots[this.slotOf(count)] = { words: this.words.slice(0, count), restBytes: body.length - idBytes, idFrom, value };
  }

  clear(): void {
    if (this.places.length === 0) return;
    this.slots.fill(null);
    this.places.length = this.oldest = 0;
  }

  private note(place: number): void {
    if (this.places.includes(place)) return;
    this.places[this.oldest] = place;
    this.oldest = (this.oldest + 1) % MAX_PLACES;
  }

  /** Whether an id that can be exchanged begins there. */
  private spanFrom(body: Uint8Array, from: number): boolean {
    const most = Math.min(body.length, from + MAX_ID_BYTES);
    let to = from + 1;
    if (body[from] === QUOTE) {
      while (to < most && isPlain(body[to] as number)) to++;
      if (to >= most || body[to] !== QUOTE) return false;
      to++;
    } else {
      to = from;
      while (to < most && isDigit(body[to] as number)) to++;
      if (!isCount(body, from, to)) return false;
    }
    this.idFrom = from;
    this.idTo = to;
    return true;
  }

  /** Whether one ends there. What stands before it tells whether it begins there too: that must be as it was. */
  private spanTo(body: Uint8Array, to: number): boolean {
    const least = Math.max(0, to - MAX_ID_BYTES);
    let from = to - 1;
    if (from < least) return false;
    if (body[from] === QUOTE) {
      from--;
      while (from > least && isPlain(body[from] as number)) from--;
      if (from < least || body[from] !== QUOTE) return false;
    } else {
      while (from >= least && isDigit(body[from] as number)) from--;
      from++;
      if (!isCount(body, from, to)) return false;
    }
    this.idFrom = from;
    this.idTo = to;
    return true;
  }

  /** Lays a body without its id into whole words: what follows the id begins at the next one. @returns how many */
  private lay(body: Uint8Array): number {
    const { bytes, idFrom, idTo } = this;
    const at = (idFrom + 3) & ~3;
    bytes.set(body);
    bytes.copyWithin(at, idTo, body.length);
    for (let i = idFrom; i < at; i++) bytes[i] = 0;
    let end = at + body.length - idTo;
    for (; (end & 3) !== 0; end++) bytes[end] = 0;
    return end >> 2;
  }

  private slotOf(count: number): number {
    return hashWords(this.words, count) % this.slots.length;
  }

  private isSame(known: Known<T>, count: number, bodyBytes: number): boolean {
    const { words } = this;
    if (known.idFrom !== this.idFrom || known.restBytes !== bodyBytes - (this.idTo - this.idFrom)) return false;
    for (let i = 0; i < count; i++) if (known.words[i] !== words[i]) return false;
    return true;
  }
}

const isDigit = (c: number): boolean => c >= ZERO && c <= 0x39;
const isPlain = (c: number): boolean => c >= 0x20 && c < 0x7f && c !== QUOTE && c !== BACKSLASH;

/** Digits that are a number in JSON. */
const isCount = (body: Uint8Array, from: number, to: number): boolean => to > from && (body[from] !== ZERO || to === from + 1);
