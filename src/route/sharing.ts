/** Who may share an upstream batch, and how large it may be. */
export interface SharingOptions {
  /** `auto`: by what was measured; true: every batchable method from the start; false: nothing is shared. */
  readonly enabled: 'auto' | boolean;
  /** Most calls of one batch. */
  readonly maxCalls: number;
  /** Fewest exchanges of light calls under way from which on further light calls wait for one to end. */
  readonly slots: number;
  /** Most exchanges under way at once, of all kinds. */
  readonly connections: number;
  /** How long a refusal of batches is remembered, ms; doubled with each one in a row, up to 16 times. */
  readonly retryAfterMs: number;
}

/** A method is light on a node while at most one call in ten takes longer than this there, ms. */
export const LIGHT_MS = 5;
/** Fewest calls of a method before it is called light or not. */
const MIN_CALLS = 20;
/** From this many calls on, older ones count half. */
const HALVE_AT = 512;
/** Slots per ms that a light call takes: enough to send 40 calls each ms one by one. */
const SLOTS_PER_MS = 40;
const SMOOTHING = 1 / 32;
/** How fast the shortest time is forgotten, per call. */
const FORGETTING = 1 / 512;
/** Calls of the first batch that a node ever gets. */
const TRIAL_CALLS = 2;
const MAX_DOUBLINGS = 4;

/**
 * What one node's answers taught about sending it several calls at once. Nodes run a batch one call after another, so calls share only
 * where a call costs little, and only while as many exchanges are under way as that cost asks for (Little's law).
 *
 * Times are those that the process spent waiting for the node, without what its own work added: a gateway that is busy must not
 * take its own slowness for the node's.
 */
export class Sharing {
  private readonly options: SharingOptions;
  private readonly calls: Uint16Array;
  private readonly slow: Uint16Array;
  /** Shortest time of a lone call: the way there and back. */
  private baseMs = Number.POSITIVE_INFINITY;
  /** What a light call costs on average. */
  private costMs = 0;
  private slotCount: number;
  private limit: number;
  /** Most calls that the node is known to take, until `cappedUntilMs`. */
  private cap: number;
  private cappedUntilMs = 0;
  private proven = false;
  private refusals = 0;
  private pausedUntilMs = 0;

  /** @param methods how many methods the catalogue has */
  constructor(options: SharingOptions, methods: number) {
    this.options = options;
    this.calls = new Uint16Array(methods);
    this.slow = new Uint16Array(methods);
    this.slotCount = Math.min(options.slots, options.connections);
    this.cap = options.maxCalls;
    this.limit = Math.min(TRIAL_CALLS, this.cap);
  }

  /** Exchanges of light calls under way from which on further ones wait. */
  get slots(): number {
    return this.slotCount;
  }

  /** The node has answered a batch as it should, and refused none since. */
  get trusted(): boolean {
    return this.proven;
  }

  /** Hot: whether a call of the method may wait for others and leave with them. */
  shares(method: number, nowMs: number): boolean {
    if (this.options.enabled === false || this.limit < 2 || this.pausedUntilMs > nowMs) return false;
    if (this.options.enabled === true) return true;
    const calls = this.calls[method] ?? 0;
    return calls >= MIN_CALLS && (this.slow[method] ?? 0) * 10 <= calls;
  }

  /** How many of the waiting calls leave now: spread over the slots, so that none gets all and the others nothing. */
  take(waiting: number): number {
    return Math.max(1, Math.min(this.limit, Math.ceil(waiting / this.slotCount)));
  }

  /** A call that was sent alone was answered. Calls that may never share are not to be told. */
  onLone(method: number, tookMs: number): void {
    this.baseMs = Math.min(tookMs, this.baseMs === Number.POSITIVE_INFINITY ? tookMs : this.baseMs + (tookMs - this.baseMs) * FORGETTING);
    const slow = tookMs - this.baseMs > LIGHT_MS;
    this.count(method, slow);
    if (!slow) this.price(tookMs);
  }

  /** A batch was answered as it should be. Its time is laid on its calls alike. */
  onBatch(methods: readonly number[], tookMs: number, nowMs: number): void {
    const eachMs = tookMs / methods.length;
    const slow = tookMs - this.baseMs > LIGHT_MS * methods.length;
    for (const method of methods) this.count(method, slow);
    this.price(eachMs);
    this.proven = true;
    this.refusals = 0;
    if (this.cappedUntilMs <= nowMs) this.cap = this.options.maxCalls;
    if (methods.length >= this.limit) this.limit = Math.min(this.cap, this.limit * 2);
  }

  /** The node found a batch of so many calls too large: half of it is the most from now on; under two there is nothing left to share. */
  onTooLarge(calls: number, nowMs: number): void {
    if (calls < 2 * TRIAL_CALLS) {
      this.onRefused(nowMs);
      return;
    }
    this.cap = calls >> 1;
    this.cappedUntilMs = nowMs + this.options.retryAfterMs;
    this.limit = Math.min(this.limit, this.cap);
  }

  /** The node does not take batches, or answered one in a way that cannot be trusted. */
  onRefused(nowMs: number): void {
    this.pausedUntilMs = nowMs + this.options.retryAfterMs * 2 ** Math.min(this.refusals, MAX_DOUBLINGS);
    this.refusals++;
    this.proven = false;
    this.limit = Math.min(TRIAL_CALLS, this.options.maxCalls);
  }

  private count(method: number, slow: boolean): void {
    const { calls } = this;
    if ((calls[method] ?? 0) >= HALVE_AT) {
      calls[method] = HALVE_AT >> 1;
      this.slow[method] = (this.slow[method] ?? 0) >> 1;
    }
    calls[method] = (calls[method] ?? 0) + 1;
    if (slow) this.slow[method] = (this.slow[method] ?? 0) + 1;
  }

  private price(callMs: number): void {
    this.costMs += (Math.min(callMs, LIGHT_MS) - this.costMs) * SMOOTHING;
    const wanted = Math.ceil(this.costMs * SLOTS_PER_MS);
    this.slotCount = Math.min(this.options.connections, Math.max(this.options.slots, wanted));
  }
}
