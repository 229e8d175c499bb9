/** A call that can share another's way to a node. */
export interface Passenger<R> {
  /** Whether there is time left to ask a node itself. */
  hasTime(nowMs: number): boolean;
  /** Takes what the call that led came to; it is over with that. */
  land(result: R): void;
  /** Leads from now on: asks a node itself, for all. May end the flight before it returns. */
  lead(): void;
}

/** Equal calls under way as one. */
export interface Flight<P> {
  readonly key: string;
  /** Whose call is with a node. */
  readonly leader: P;
  /** Those that wait for it. */
  readonly followers: number;
}

export interface FlightLimits {
  /** Most flights at once; further calls go by themselves. */
  readonly maxFlights: number;
  /** Most that wait for one call; further ones make a flight of their own only once that has landed. */
  readonly maxFollowers: number;
}

/** Length of the table, a power of two. */
const BUCKETS = 2048;
/** Characters that are hashed at each end of a key. */
const HASHED = 256;

class OneFlight<P> implements Flight<P> {
  readonly key: string;
  leader: P;
  readonly waiting: P[] = [];
  /** The leader's own caller waits for it too. */
  attended = true;
  next: OneFlight<P> | null = null;

  constructor(key: string, leader: P) {
    this.key = key;
    this.leader = leader;
  }

  get followers(): number {
    return this.waiting.length;
  }
}

/**
 * Equal calls in flight share one: the first leads, the others wait for what it comes to. A leader that fails leaves the lead to
 * the first one that still has time. Who leaves leaves the others be; only when nobody waits is there nothing to wait for.
 * Own chained buckets instead of a `Map`: through one that all calls pass, the tables it throws away keep them alive.
 */
export class Flights<R, P extends Passenger<R>> {
  limits: FlightLimits;
  /** Flights under way. */
  size = 0;
  private readonly buckets: (OneFlight<P> | null)[] = new Array<OneFlight<P> | null>(BUCKETS).fill(null);

  constructor(limits: FlightLimits) {
    this.limits = limits;
  }

  /**
   * Boards the flight of that key, or starts it as its leader. Null: a limit is reached, and the call goes by itself.
   * @param key equal for calls that must give the same answer, and for no others
   */
  join(key: string, passenger: P): Flight<P> | null {
    const bucket = bucketOf(key);
    for (let flight = this.buckets[bucket] ?? null; flight !== null; flight = flight.next) {
      if (flight.key !== key) continue;
      if (flight.waiting.length >= this.limits.maxFollowers) return null;
      flight.waiting.push(passenger);
      return flight;
    }
    if (this.size >= this.limits.maxFlights) return null;
    const made = new OneFlight(key, passenger);
    made.next = this.buckets[bucket] ?? null;
    this.buckets[bucket] = made;
    this.size++;
    return made;
  }

  /** The leader has an answer that is everybody's. */
  land(of: Flight<P>, result: R): void {
    const flight = own(of);
    this.remove(flight);
    for (const follower of flight.waiting.splice(0)) follower.land(result);
  }

  /**
   * The leader came to something that the others need not share: the first that has time leads, if `mayGoOn`; else all take it.
   * @param mayGoOn asked once, and only if somebody has time: going on costs nodes another call
   * @returns true when somebody leads
   */
  fail(of: Flight<P>, result: R, nowMs: number, mayGoOn: () => boolean): boolean {
    const flight = own(of);
    const next = flight.waiting.findIndex((follower) => follower.hasTime(nowMs));
    if (next < 0 || !mayGoOn()) {
      this.land(flight, result);
      return false;
    }
    // who has no time left is told by its own clock
    const [leader] = flight.waiting.splice(next, 1);
    flight.leader = leader as P;
    flight.attended = true;
    flight.leader.lead();
    return true;
  }

  /**
   * One that takes part is no longer waited for.
   * @returns true when its own work, or for a follower that of the leader, is of use to nobody any more: it is to be stopped
   */
  leave(of: Flight<P>, passenger: P): boolean {
    const flight = own(of);
    if (passenger === flight.leader) flight.attended = false;
    else {
      const place = flight.waiting.indexOf(passenger);
      if (place >= 0) flight.waiting.splice(place, 1);
    }
    if (flight.attended || flight.waiting.length > 0) return false;
    this.remove(flight);
    return true;
  }

  private remove(flight: OneFlight<P>): void {
    const bucket = bucketOf(flight.key);
    let before: OneFlight<P> | null = null;
    for (let each = this.buckets[bucket] ?? null; each !== null; each = each.next) {
      if (each === flight) {
        if (before === null) this.buckets[bucket] = each.next;
        else before.next = each.next;
        this.size--;
        return;
      }
      before = each;
    }
  }
}

/** Only `join` makes flights. */
const own = <P>(flight: Flight<P>): OneFlight<P> => flight as OneFlight<P>;

/** FNV-1a over both ends: keys that agree there share a bucket, and are told apart in it. */
function bucketOf(key: string): number {
  const { length } = key;
  const first = Math.min(length, HASHED);
  let hash = length;
  for (let i = 0; i < first; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 16777619);
  for (let i = Math.max(first, length - HASHED); i < length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 16777619);
  return (hash ^ (hash >>> 15)) & (BUCKETS - 1);
}
