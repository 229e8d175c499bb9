import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Flights } from '../../../src/cache/flight.ts';
import type { Flight, Passenger } from '../../../src/cache/flight.ts';

/** A call that notes what befalls it. */
class Rider implements Passenger<string> {
  readonly told: string[] = [];
  readonly name: string;
  readonly untilMs: number;
  onLead: () => void = () => undefined;

  constructor(name: string, untilMs = Number.POSITIVE_INFINITY) {
    this.name = name;
    this.untilMs = untilMs;
  }

  hasTime(nowMs: number): boolean {
    return nowMs < this.untilMs;
  }

  land(result: string): void {
    this.told.push(result);
  }

  lead(): void {
    this.told.push('leads');
    this.onLead();
  }
}

const make = (maxFlights = 100, maxFollowers = 100) => new Flights<string, Rider>({ maxFlights, maxFollowers });

/** Boards riders in order; the first leads. */
function board(flights: Flights<string, Rider>, riders: readonly Rider[]): Flight<Rider> {
  const [flight] = riders.map((rider) => flights.join('key', rider));
  if (flight === undefined || flight === null) throw new Error('no flight');
  return flight;
}

const riders = (...names: string[]): Rider[] => names.map((name) => new Rider(name));
const yes = (): boolean => true;

describe('sharing', () => {
  it('equal keys share a flight, the first leads, and all the others land with its result in order', () => {
    const flights = make();
    const [a, b, c] = riders('a', 'b', 'c') as [Rider, Rider, Rider];
    const order: string[] = [];
    for (const rider of [a, b, c]) rider.land = (result) => order.push(`${rider.name} ${result}`);
    const flight = board(flights, [a, b, c]);
    expect([flight.leader, flight.followers, flights.size]).toEqual([a, 2, 1]);
    flights.land(flight, '0x1');
    expect(order).toEqual(['b 0x1', 'c 0x1']);
    expect(flights.size).toBe(0);
  });

  it('what comes after the landing flies anew', () => {
    const flights = make();
    const [a, b] = riders('a', 'b') as [Rider, Rider];
    flights.land(board(flights, [a]), '1');
    expect(board(flights, [b]).leader).toBe(b);
  });

  it('other keys never meet', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.string({ maxLength: 120 }), { minLength: 1 }), (keys) => {
      const flights = make(10_000);
      const own = keys.map((key) => ({ key, rider: new Rider(key) }));
      for (const { key, rider } of own) expect(flights.join(key, rider)?.leader).toBe(rider);
      for (const { key, rider } of own) expect(flights.join(key, new Rider('second'))?.leader).toBe(rider);
    }));
  });

  it('keys that differ only in the middle are told apart', () => {
    const flights = make();
    const [a, b] = riders('a', 'b') as [Rider, Rider];
    expect(flights.join(`${'x'.repeat(60)}1${'x'.repeat(60)}`, a)?.leader).toBe(a);
    expect(flights.join(`${'x'.repeat(60)}2${'x'.repeat(60)}`, b)?.leader).toBe(b);
  });

  it('beyond its limits calls go by themselves', () => {
    const flights = make(1, 1);
    const [a, b, c, d] = riders('a', 'b', 'c', 'd') as [Rider, Rider, Rider, Rider];
    board(flights, [a, b]);
    expect(flights.join('key', c)).toBeNull();
    expect(flights.join('another', d)).toBeNull();
  });
});

describe('a leader that fails', () => {
  it('leaves the lead to the first that has time; the others wait on', () => {
    const flights = make();
    const a = new Rider('a');
    const late = new Rider('late', 10);
    const [b, c] = riders('b', 'c') as [Rider, Rider];
    const flight = board(flights, [a, late, b, c]);
    expect(flights.fail(flight, 'failed', 20, yes)).toBe(true);
    expect([late.told, b.told, c.told]).toEqual([[], ['leads'], []]);
    flights.land(flight, '0x1');
    expect([late.told, c.told]).toEqual([['0x1'], ['0x1']]);
  });

  it('fails all when nobody has time, or when going on is not to be afforded', () => {
    const flights = make();
    const late = new Rider('late', 10);
    let asked = 0;
    const mayGoOn = (): boolean => {
      asked++;
      return false;
    };
    expect(flights.fail(board(flights, [new Rider('a'), late]), 'failed', 20, mayGoOn)).toBe(false);
    expect([late.told, asked]).toEqual([['failed'], 0]);
    const [b, c] = riders('b', 'c') as [Rider, Rider];
    expect(flights.fail(board(flights, [new Rider('a'), b, c]), 'failed', 20, mayGoOn)).toBe(false);
    expect([b.told, c.told, asked, flights.size]).toEqual([['failed'], ['failed'], 1, 0]);
  });

  it('a new leader may end the flight at once', () => {
    const flights = make();
    const [a, b, c] = riders('a', 'b', 'c') as [Rider, Rider, Rider];
    const flight = board(flights, [a, b, c]);
    b.onLead = () => flights.fail(flight, 'b too', 0, yes);
    c.onLead = () => flights.land(flight, 'c done');
    flights.fail(flight, 'a failed', 0, yes);
    expect([b.told, c.told, flights.size]).toEqual([['leads'], ['leads'], 0]);
  });
});

describe('leaving', () => {
  it('a follower that leaves stops nothing and lands with nothing', () => {
    const flights = make();
    const [a, b, c] = riders('a', 'b', 'c') as [Rider, Rider, Rider];
    const flight = board(flights, [a, b, c]);
    expect(flights.leave(flight, b)).toBe(false);
    flights.land(flight, '1');
    expect([b.told, c.told]).toEqual([[], ['1']]);
  });

  it('a leader that leaves goes on for the others; the last of them stops it', () => {
    const flights = make();
    const [a, b, c] = riders('a', 'b', 'c') as [Rider, Rider, Rider];
    const flight = board(flights, [a, b, c]);
    expect(flights.leave(flight, a)).toBe(false);
    expect(flights.leave(flight, b)).toBe(false);
    expect([flights.leave(flight, c), flight.leader, flights.size]).toEqual([true, a, 0]);
  });

  it('a leader alone is stopped by leaving, and a later call flies anew', () => {
    const flights = make();
    const [a, b] = riders('a', 'b') as [Rider, Rider];
    expect(flights.leave(board(flights, [a]), a)).toBe(true);
    expect(flights.join('key', b)?.leader).toBe(b);
  });

  it('one that took the lead over is waited for again', () => {
    const flights = make();
    const [a, b] = riders('a', 'b') as [Rider, Rider];
    const flight = board(flights, [a, b]);
    flights.leave(flight, a);
    flights.fail(flight, 'failed', 0, yes);
    expect(flights.leave(flight, b)).toBe(true);
  });
});

describe('any course', () => {
  it('every passenger ends exactly once: by its own end as a leader, by landing, or by leaving', () => {
    const step = fc.tuple(fc.constantFrom('join', 'land', 'fail', 'leave'), fc.nat(3), fc.nat(10));
    fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const flights = make(3, 3);
      const aboard = new Map<Rider, Flight<Rider>>();
      const ends = new Map<Rider, number>();
      const end = (rider: Rider): void => {
        ends.set(rider, (ends.get(rider) ?? 0) + 1);
        aboard.delete(rider);
      };
      for (const [what, key, which] of steps) {
        const leaders = [...aboard].filter(([rider, flight]) => flight.leader === rider);
        const chosen = what === 'leave' ? [...aboard][which % Math.max(1, aboard.size)] : leaders[which % Math.max(1, leaders.length)];
        if (what === 'join') {
          const rider = new Rider(`${key}`);
          rider.land = () => end(rider);
          const flight = flights.join(`${key}`, rider);
          if (flight !== null) aboard.set(rider, flight);
          ends.set(rider, flight === null ? 1 : 0);
        } else if (chosen !== undefined) {
          const [rider, flight] = chosen;
          if (what === 'land') flights.land(flight, 'result');
          else if (what === 'fail') flights.fail(flight, 'failed', 0, () => which % 2 === 0);
          else flights.leave(flight, rider);
          end(rider);
        }
      }
      expect([...ends.values()].filter((count) => count > 1)).toEqual([]);
      expect([...ends].filter(([rider, count]) => (count === 0) !== aboard.has(rider))).toEqual([]);
    }));
  });
});
