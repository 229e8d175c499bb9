/** Handles are `generation * SLOT_LIMIT + slot`, so an old handle never cancels a newer item. */
const SLOT_LIMIT = 2 ** 21;
const MIN_CAPACITY = 256;
const NONE = -1;

/** Shape of a wheel. */
export interface WheelOptions {
  /** Resolution in ms: an item falls due up to this late, never early. */
  readonly tickMs: number;
  /** Buckets of the wheel; an item further away than `tickMs * buckets` is looked at once per turn. */
  readonly buckets: number;
}

/**
 * Many coarse deadlines in one place: adding and cancelling take constant time and, once the wheel has grown to its load,
 * allocate nothing. Pure: somebody else calls `expire` every `tickMs` or so while `size` is above 0.
 * Source: hashed timing wheel with unsorted buckets, scheme 6 of Varghese & Lauck, "Hashed and hierarchical timing wheels" (1987).
 */
export class TimerWheel<T extends object> {
  /** Items waiting. */
  size = 0;
  private readonly tickMs: number;
  private readonly buckets: number;
  /** Rings of nodes: the first `buckets + 1` nodes are the ends of the buckets and of the ring of what is due. */
  private next: Int32Array;
  private prev: Int32Array;
  private tick: Float64Array;
  private readonly items: (T | null)[] = [];
  private readonly generations: number[] = [];
  private free = NONE;
  private lastTick = Number.NEGATIVE_INFINITY;

  constructor(options: WheelOptions = { tickMs: 8, buckets: 512 }) {
    if (!(options.tickMs > 0) || !Number.isInteger(options.buckets) || options.buckets < 1) {
      throw new RangeError('TimerWheel: tickMs must be above 0 and buckets a whole number from 1');
    }
    this.tickMs = options.tickMs;
    this.buckets = options.buckets;
    const ends = this.buckets + 1;
    this.next = Int32Array.from({ length: ends }, (_, i) => i);
    this.prev = Int32Array.from(this.next);
    this.tick = new Float64Array(ends);
    for (let end = 0; end < ends; end++) this.addNode();
  }

  /**
   * Lets `item` fall due at `atMs`. Returns a handle for `cancel`.
   * Throws RangeError at about two million items, or when `atMs` is no finite number.
   */
  add(atMs: number, item: T): number {
    if (!Number.isFinite(atMs)) throw new RangeError('TimerWheel: atMs must be finite');
    if (this.free === NONE) this.grow();
    const node = this.free;
    this.free = this.next[node] as number;
    // what is already due goes into the bucket that is looked at next
    const tick = Math.max(Math.ceil(atMs / this.tickMs), this.lastTick + 1);
    this.tick[node] = tick;
    this.items[node] = item;
    this.link(node, this.bucketOf(tick));
    this.size++;
    return (this.generations[node] as number) * SLOT_LIMIT + node;
  }

  /** Takes an item out; false when it fell due or was taken out before. */
  cancel(handle: number): boolean {
    const node = handle % SLOT_LIMIT;
    if ((this.items[node] ?? null) === null || this.generations[node] !== Math.floor(handle / SLOT_LIMIT)) return false;
    this.unlink(node);
    this.release(node);
    return true;
  }

  /**
   * Hands everything that is due at `nowMs` to `run`, in ticks' order while less than a turn has passed. `run` may add and cancel; what it adds waits for
   * the next `expire`.
   */
  expire(nowMs: number, run: (item: T) => void): void {
    const now = Math.floor(nowMs / this.tickMs);
    if (now <= this.lastTick) return;
    const turns = Math.min(now - this.lastTick, this.buckets);
    this.lastTick = now;
    for (let tick = now - turns + 1; tick <= now; tick++) this.collect(this.bucketOf(tick), now);
    for (;;) {
      const node = this.next[this.buckets] as number;
      if (node === this.buckets) return;
      const item = this.items[node] as T;
      this.unlink(node);
      this.release(node);
      run(item);
    }
  }

  /** Moves what is due from a bucket to the ring of the due. */
  private collect(bucket: number, now: number): void {
    for (let node = this.next[bucket] as number; node !== bucket; ) {
      const after = this.next[node] as number;
      if ((this.tick[node] as number) <= now) {
        this.unlink(node);
        this.link(node, this.buckets);
      }
      node = after;
    }
  }

  private bucketOf(tick: number): number {
    const bucket = tick % this.buckets;
    return bucket < 0 ? bucket + this.buckets : bucket;
  }

  private link(node: number, end: number): void {
    const last = this.prev[end] as number;
    this.next[last] = node;
    this.prev[node] = last;
    this.next[node] = end;
    this.prev[end] = node;
  }

  private unlink(node: number): void {
    const before = this.prev[node] as number;
    const after = this.next[node] as number;
    this.next[before] = after;
    this.prev[after] = before;
  }

  private release(node: number): void {
    this.items[node] = null;
    this.generations[node] = (this.generations[node] as number) + 1;
    this.next[node] = this.free;
    this.free = node;
    this.size--;
  }

  private grow(): void {
    const old = this.next.length;
    const length = Math.min(SLOT_LIMIT, Math.max(old * 2, this.buckets + 1 + MIN_CAPACITY));
    if (length === old) throw new RangeError('TimerWheel: too many items');
    const next = new Int32Array(length);
    const prev = new Int32Array(length);
    const tick = new Float64Array(length);
    next.set(this.next);
    prev.set(this.prev);
    tick.set(this.tick);
    this.next = next;
    this.prev = prev;
    this.tick = tick;
    for (let node = old; node < length; node++) {
      this.addNode();
      next[node] = this.free;
      this.free = node;
    }
  }

  private addNode(): void {
    this.items.push(null);
    this.generations.push(0);
  }
}
