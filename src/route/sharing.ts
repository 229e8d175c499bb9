/** A call, as far as sharing is concerned. */
export interface LightCall {
  /** Index in the catalogue. */
  readonly method: number;
  /** Equal for calls that cost a node the same, such as the same call asked again; 0 = not known. */
  readonly hash: number;
}

/** How long an answer took. */
export interface Took {
  /** From sending to the whole answer, ms. */
  readonly wallMs: number;
  /** Of these, what the process spent waiting for the outside world: the rest is its own work. */
  readonly idleMs: number;
}

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
/** Slots per ms that a light call takes: enough to send 20 calls each ms one by one, near what a process can. */
const SLOTS_PER_MS = 20;
const SMOOTHING = 1 / 32;
/** A process that waits for less of its time than this has none to spare for exchanges that batches save it. */
const IDLE_SHARE = 0.5;
/** Slots beyond what the node's time asks for, for a process that does nothing but wait. */
const SPARE_SLOTS = 6;
/** How fast the shortest time is forgotten, per call. */
const FORGETTING = 1 / 512;
/** Calls of the first batch that a node ever gets. */
const TRIAL_CALLS = 2;
const MAX_DOUBLINGS = 4;
/** Calls by hash that are suspected of holding others up. */
const SUSPECTS = 1024;
const SUSPECT_FOR_MS = 60_000;
/** A batch that takes this many times what its calls should was held up by one of them. */
const HELD_UP_FACTOR = 4;

/**
 * What one node's answers taught about sending it several calls at once. Nodes run a batch one call after another, so calls share only
 * where a call costs little, and only while as many exchanges are under way as that cost asks for (Little's law).
 *
 * What counts is the node's time, without what the process's own work added: a gateway that is busy must not take its own slowness for
 * the node's. That time is at least what the process spent waiting, and at least what goes beyond twice the usual.
 */
export class Sharing {
  private readonly options: SharingOptions;
  private readonly calls: Uint16Array;
  private readonly slow: Uint16Array;
  /** Until when a call of that hash goes alone, ms. */
  private readonly suspects = new Float64Array(SUSPECTS);
  /** Shortest time of a lone call: the way there and back. */
  private baseMs = Number.POSITIVE_INFINITY;
  /** What a light call costs on average. */
  private costMs = 0;
  /** What an exchange usually takes, the process's own work included. */
  private usualMs = 0;
  /** What share of its time the process waited for the outside world of late. */
  private idleShare = 0;
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

  /**
   * Exchanges of light calls under way from which on further ones wait. While the process has time to spare, more of them than the node's
   * time asks for: nobody waits who need not, and each call may cost more.
   */
  get slots(): number {
    const spare = Math.max(0, Math.floor((this.idleShare - IDLE_SHARE) * (SPARE_SLOTS / (1 - IDLE_SHARE))));
    return Math.min(this.options.connections, this.slotCount + spare);
  }

  /** The node has answered a batch as it should, and refused none since. */
  get trusted(): boolean {
    return this.proven;
  }

  /** Hot: whether a call of the method may wait for others and leave with them. */
  shares({ method, hash }: LightCall, nowMs: number): boolean {
    if (this.options.enabled === false || this.limit < 2 || this.pausedUntilMs > nowMs) return false;
    if (hash !== 0 && this.suspects[hash & (SUSPECTS - 1)] as number > nowMs) return false;
    if (this.options.enabled === true) return true;
    const calls = this.calls[method] ?? 0;
    return calls >= MIN_CALLS && (this.slow[method] ?? 0) * 10 <= calls;
  }

  /** How many of the waiting calls leave now: spread over the slots, so that none gets all and the others nothing. */
  take(waiting: number): number {
    return Math.max(1, Math.min(this.limit, Math.ceil(waiting / this.slotCount)));
  }

  /** A call that was sent alone was answered. Calls that may never share are not to be told. */
  onLone({ method, hash }: LightCall, took: Took, nowMs: number): void {
    const tookMs = this.nodeMs(took);
    this.baseMs = Math.min(tookMs, this.baseMs === Number.POSITIVE_INFINITY ? tookMs : this.baseMs + (tookMs - this.baseMs) * FORGETTING);
    const slow = tookMs - this.baseMs > LIGHT_MS;
    this.count(method, slow);
    if (hash !== 0) this.suspects[hash & (SUSPECTS - 1)] = slow ? nowMs + SUSPECT_FOR_MS : 0;
    if (!slow) this.price(took.idleMs);
  }

  /** A batch was answered as it should be. Its time is laid on its calls alike. */
  onBatch(calls: readonly LightCall[], took: Took, nowMs: number): void {
    const tookMs = this.nodeMs(took);
    const count = calls.length;
    const slow = tookMs - this.baseMs > LIGHT_MS * count;
    for (const { method } of calls) this.count(method, slow);
    if (tookMs - this.baseMs > HELD_UP_FACTOR * (LIGHT_MS + this.costMs * count)) this.suspect(calls, nowMs);
    this.price(took.idleMs / count);
    this.proven = true;
    this.refusals = 0;
    if (this.cappedUntilMs <= nowMs) this.cap = this.options.maxCalls;
    if (count >= this.limit) this.limit = Math.min(this.cap, this.limit * 2);
  }

  /** The process waited for so much of its time of late. @param share 0 to 1 */
  onIdle(share: number): void {
    this.idleShare += (share - this.idleShare) / 2;
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

  /** One of these held the others up: each goes alone until it is known which. */
  private suspect(calls: readonly LightCall[], nowMs: number): void {
    for (const { hash } of calls) if (hash !== 0) this.suspects[hash & (SUSPECTS - 1)] = nowMs + SUSPECT_FOR_MS;
  }

  private nodeMs({ wallMs, idleMs }: Took): number {
    const { usualMs } = this;
    // one that is far out moves the usual by little
    this.usualMs = usualMs === 0 ? wallMs : usualMs + (Math.min(wallMs, 4 * usualMs + 1) - usualMs) * SMOOTHING;
    return Math.max(idleMs, wallMs - 2 * this.usualMs);
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
