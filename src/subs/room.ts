import type { TimerHandle } from '../base/clock.ts';
import type { Member } from './member.ts';
import type { Topic } from './topic.ts';

/** One subscription of one connection. */
export interface Seat {
  readonly id: string;
  readonly room: TopicRoom;
  /** It has the id that all clients of the topic share. */
  readonly shared: boolean;
  /** Serial of the last block that was told of before it began. */
  readonly sinceSerial: number;
}

/** One topic with everyone who wants it. */
export class TopicRoom {
  readonly topic: Topic;
  /** The subscription id that its clients share, and the name it is published under. */
  readonly id: string;
  readonly shared = new Map<Member<Seat>, Seat>();
  /** Those of `shared` that are served from their backlog. */
  readonly parked = new Map<Member<Seat>, Seat>();
  /** Second and further subscriptions of a connection. */
  readonly extras = new Map<Seat, Member<Seat>>();
  /** Highest block that its clients were told of; -1 = none. */
  toldNumber = -1;
  /** When the last one joined, as a serial. */
  newestSerial = -1;
  uncheckedBytes = 0;
  /** Armed while nobody is here. */
  closing: TimerHandle | null = null;

  constructor(topic: Topic, id: string) {
    this.topic = topic;
    this.id = id;
  }

  /** Subscriptions. */
  get size(): number {
    return this.shared.size + this.extras.size;
  }

  add(member: Member<Seat>, seat: Seat): void {
    this.newestSerial = seat.sinceSerial;
    if (!seat.shared) this.extras.set(seat, member);
    else {
      this.shared.set(member, seat);
      if (member.parked) this.parked.set(member, seat);
      else member.socket.join(this.id);
    }
  }

  remove(member: Member<Seat>, seat: Seat): void {
    if (!seat.shared) this.extras.delete(seat);
    else {
      this.shared.delete(member);
      if (!this.parked.delete(member) && !member.ended) member.socket.leave(this.id);
    }
  }

  park(member: Member<Seat>, seat: Seat): void {
    if (!seat.shared) return;
    this.parked.set(member, seat);
    member.socket.leave(this.id);
  }

  resume(member: Member<Seat>, seat: Seat): void {
    if (!seat.shared) return;
    this.parked.delete(member);
    member.socket.join(this.id);
  }

  *seats(): Iterable<readonly [Member<Seat>, Seat]> {
    yield* this.shared;
    for (const [seat, member] of this.extras) yield [member, seat];
  }
}
