import { Fault } from '../base/fault.ts';
import type { MethodSet } from '../chain/access.ts';
import { hasTwinKeys } from '../chain/twinKeys.ts';
import { TokenBucket } from './limit.ts';

/** Limits on one client; 0 = none. */
export interface MeterLimits {
  /** Units that come back per second. */
  readonly ratePerS: number;
  /** Most units that can be saved up; 0 = those of one second, at least one. */
  readonly burst: number;
  readonly maxInFlight: number;
}

/** Nobody knows when a call under way ends: told to come back after this. */
const BUSY_MS = 1000;

/** How fast and how many at once one client calls. */
export class Meter {
  /** Calls under way. */
  inFlight = 0;
  private readonly maxInFlight: number;
  private readonly bucket: TokenBucket | null;

  constructor({ ratePerS, burst, maxInFlight }: MeterLimits) {
    this.maxInFlight = maxInFlight;
    this.bucket = ratePerS > 0 ? new TokenBucket({ ratePerS, burst: burst > 0 ? burst : Math.max(1, ratePerS) }) : null;
  }

  /** @returns 0 when the call may run, which then must `leave`; otherwise ms to wait, above 0, and nothing is taken */
  enter(units: number, nowMs: number): number {
    if (this.maxInFlight > 0 && this.inFlight >= this.maxInFlight) return BUSY_MS;
    if (this.bucket !== null && !this.bucket.tryTake(units, nowMs)) return Math.max(1, this.bucket.waitMs(units, nowMs));
    this.inFlight++;
    return 0;
  }

  leave(): void {
    this.inFlight--;
  }
}

/** One meter per client address, for the addresses seen last. */
export class PeerMeters {
  private readonly limits: MeterLimits;
  private readonly maxTracked: number;
  /** The one seen longest ago first. */
  private readonly meters = new Map<string, Meter>();

  /** @param maxTracked addresses remembered, at least 1 */
  constructor(limits: MeterLimits, maxTracked: number) {
    this.limits = limits;
    this.maxTracked = maxTracked;
  }

  get size(): number {
    return this.meters.size;
  }

  /** The address's meter. One that was forgotten starts anew; its calls under way still leave the old one. */
  of(address: string): Meter {
    const known = this.meters.get(address);
    if (known !== undefined) this.meters.delete(address);
    const meter = known ?? new Meter(this.limits);
    this.meters.set(address, meter);
    if (this.meters.size > this.maxTracked) this.meters.delete(this.meters.keys().next().value ?? '');
    return meter;
  }
}

/** What one key opens. */
export interface KeyRules {
  readonly name: string;
  /** Chains by name; empty = all. */
  readonly chains: ReadonlySet<string>;
  /** Empty = all that the chain lets through. */
  readonly allow: MethodSet;
  readonly deny: MethodSet;
  readonly meter: Meter;
  /** May be told the way of a live call. */
  readonly explains: boolean;
}

/** The part of a call that admission looks at. */
export interface AskedCall {
  readonly method: string;
  /** The params' raw JSON; '' when absent. */
  readonly paramsRaw: string;
}

/** What one request may do: by its key, its address, or both. */
export class Grant {
  private readonly key: KeyRules | null;
  private readonly peer: Meter | null;

  constructor(key: KeyRules | null, peer: Meter | null) {
    this.key = key;
    this.peer = peer;
  }

  /**
   * Charges a call to its client: one to the address, the method's weight to the key. A call that is refused for its
   * method or params was charged all the same.
   * @param weight units of the method
   * @returns null when the call may run, which then must `leave`
   */
  enter(call: AskedCall, weight: number, nowMs: number): Fault | null {
    const peerWaitMs = this.peer === null ? 0 : this.peer.enter(1, nowMs);
    if (peerWaitMs > 0) return tooMuch(peerWaitMs);
    const fault = this.key === null ? null : enterKey(this.key, call, weight, nowMs);
    if (fault !== null) this.peer?.leave();
    return fault;
  }

  leave(): void {
    this.peer?.leave();
    this.key?.meter.leave();
  }
}

function enterKey(key: KeyRules, call: AskedCall, weight: number, nowMs: number): Fault | null {
  const waitMs = key.meter.enter(weight, nowMs);
  if (waitMs > 0) return tooMuch(waitMs);
  const fault = ruledOut(key, call);
  if (fault !== null) key.meter.leave();
  return fault;
}

function ruledOut({ allow, deny }: KeyRules, { method, paramsRaw }: AskedCall): Fault | null {
  if (deny.has(method) || (!allow.empty && !allow.has(method))) return new Fault('methodRefused');
  if (!allow.empty && hasTwinKeys(paramsRaw)) return new Fault('invalidParams', 'a member occurs twice');
  return null;
}

function tooMuch(waitMs: number): Fault {
  return new Fault('rateLimited', '', null, Math.ceil(waitMs / 1000));
}

/** Whether the key opens a chain. */
export const opensChain = (key: KeyRules, chain: string): boolean => key.chains.size === 0 || key.chains.has(chain);
