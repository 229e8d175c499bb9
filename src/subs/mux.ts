import type { TimerHandle } from '../base/clock.ts';
import type { LossNotice, TopicBatch } from './batch.ts';
import { Member } from './member.ts';
import type { SlowAction, SlowLimits, SubscriberSocket } from './member.ts';
import { lossNotice, subscriptionNotice } from './notice.ts';
import { TopicRoom } from './room.ts';
import type { Seat } from './room.ts';
import type { Topic } from './topic.ts';

export interface MuxOptions extends SlowLimits {
  /** How long a topic that nobody wants is kept open. */
  readonly graceMs: number;
  readonly maxPerConnection: number;
}

export interface MuxPort {
  /** A topic is wanted from now on. */
  open(topic: Topic): void;
  /** Nobody wants it any more. */
  close(topic: Topic): void;
  /** Serial of the newest batch: who joins now was told of none up to it. */
  serial(): number;
  /** Hands a message to everyone who joined this name. */
  publish(topicId: string, message: string): void;
  /** An id that no subscription has. */
  newId(): string;
  after(delayMs: number, run: () => void): TimerHandle;
  /** A subscription began (1) or ended (-1). */
  counted(kind: Topic['kind'], change: 1 | -1): void;
  /** Notices went out, `receivedMs` being when their cause came in. */
  sent(kind: Topic['kind'], notices: number, receivedMs: number): void;
  slow(action: SlowAction, count: number): void;
}

/**
 * Bytes published to a topic after which its members' buffers are looked at again: this part of the soft limit, and at most so many.
 * Asking the engine for each member's buffer at each notice took a twentieth of the time of a fan-out.
 */
const CHECK_PART = 4;
const MAX_CHECK_BYTES = 65_536;

/**
 * Clients and topics. All clients of a topic share one subscription id, so that a notice is one message for the engine to
 * publish; a second subscription to the same topic on one connection has an id of its own.
 */
export class SubscriptionMux {
  readonly #options: MuxOptions;
  readonly #port: MuxPort;
  readonly #rooms = new Map<string, TopicRoom>();
  readonly #members = new Set<Member<Seat>>();
  readonly #checkBytes: number;

  constructor(options: MuxOptions, port: MuxPort) {
    this.#options = options;
    this.#checkBytes = Math.min(MAX_CHECK_BYTES, options.softLimitBytes / CHECK_PART);
    this.#port = port;
  }

  /** Topics that are open, those within their grace time included. */
  get topics(): number {
    return this.#rooms.size;
  }

  attach(socket: SubscriberSocket): Member<Seat> {
    const member = new Member<Seat>(socket, this.#options, (action, count) => this.#port.slow(action, count));
    this.#members.add(member);
    return member;
  }

  /** Closes every connection. */
  end(code: number, reason: string): void {
    for (const member of [...this.#members]) member.socket.end(code, reason);
  }

  /** The connection is gone, and its subscriptions with it. */
  detach(member: Member<Seat>): void {
    if (!this.#members.delete(member)) return;
    member.ended = true;
    for (const seat of [...member.subscriptions.values()]) this.#leave(member, seat);
  }

  /** @returns the subscription's id; null when the connection has as many as it may */
  subscribe(member: Member<Seat>, topic: Topic): string | null {
    if (member.subscriptions.size >= this.#options.maxPerConnection) return null;
    const room = this.#room(topic);
    const shared = !room.shared.has(member);
    const seat: Seat = { id: shared ? room.id : this.#port.newId(), room, shared, sinceSerial: this.#port.serial() };
    member.subscriptions.set(seat.id, seat);
    room.add(member, seat);
    this.#port.counted(topic.kind, 1);
    return seat.id;
  }

  /** False when the connection has no such subscription. */
  unsubscribe(member: Member<Seat>, id: string): boolean {
    const seat = member.subscriptions.get(id);
    if (seat === undefined) return false;
    this.#leave(member, seat);
    return true;
  }

  /** Highest block that the connection was told of; -1 = none. */
  toldNumber(member: Member<Seat>): number {
    let told = -1;
    for (const { room } of member.subscriptions.values()) told = Math.max(told, room.toldNumber);
    return told;
  }

  /** Keeps back what is told to the connection until `release`. */
  hold(member: Member<Seat>): void {
    member.holds++;
    if (!member.parked) this.#park(member);
  }

  release(member: Member<Seat>): void {
    member.holds--;
    this.onDrain(member);
  }

  /** The connection's buffer went down. */
  onDrain(member: Member<Seat>): void {
    if (member.parked && member.holds === 0 && member.flush()) this.#resume(member);
  }

  /** Tells what one block means for a topic. */
  deliver(batch: TopicBatch): void {
    const room = this.#rooms.get(batch.key);
    if (room === undefined) return;
    room.toldNumber = Math.max(room.toldNumber, batch.number);
    for (const result of batch.results) {
      room.uncheckedBytes += result.length;
      if (room.uncheckedBytes >= this.#checkBytes) this.#check(room);
      this.#tell(room, result, batch.undoes);
    }
    this.#port.sent(room.topic.kind, batch.results.length * room.size, batch.receivedMs);
  }

  /** Tells everyone with a topic of this kind what cannot be told. */
  lost({ kind, loss }: LossNotice): void {
    for (const room of this.#rooms.values()) {
      if (room.topic.kind !== kind) continue;
      for (const [member, seat] of room.seats()) member.tell(seat.id, lossNotice(seat.id, loss), false);
    }
  }

  #tell(room: TopicRoom, result: string, undoes: number): void {
    const message = subscriptionNotice(room.id, result);
    const conflates = room.topic.kind === 'newHeads';
    // who joined after it was told has nothing to take back
    const isPartial = undoes >= 0 && room.newestSerial >= undoes;
    if (!isPartial && room.shared.size > room.parked.size) this.#port.publish(room.id, message);
    for (const [member, seat] of isPartial ? room.shared : room.parked) {
      if (undoes < 0 || seat.sinceSerial < undoes) member.tell(seat.id, message, conflates);
    }
    for (const [seat, member] of room.extras) {
      if (undoes < 0 || seat.sinceSerial < undoes) member.tell(seat.id, subscriptionNotice(seat.id, result), conflates);
    }
  }

  /** Takes whoever cannot keep up out of what the engine publishes. */
  #check(room: TopicRoom): void {
    room.uncheckedBytes = 0;
    for (const member of room.shared.keys()) this.#look(member);
    for (const member of room.extras.values()) this.#look(member);
  }

  #look(member: Member<Seat>): void {
    if (member.parked) this.onDrain(member);
    else if (!member.ended && member.isOver) {
      member.slow = true;
      this.#park(member);
      this.#port.slow('parked', 1);
    }
  }

  #park(member: Member<Seat>): void {
    member.parked = true;
    for (const seat of member.subscriptions.values()) seat.room.park(member, seat);
  }

  #resume(member: Member<Seat>): void {
    member.parked = false;
    for (const seat of member.subscriptions.values()) seat.room.resume(member, seat);
    if (member.slow) this.#port.slow('resumed', 1);
    member.slow = false;
  }

  #room(topic: Topic): TopicRoom {
    let room = this.#rooms.get(topic.key);
    if (room === undefined) {
      room = new TopicRoom(topic, this.#port.newId());
      this.#rooms.set(topic.key, room);
      this.#port.open(topic);
    }
    room.closing?.cancel();
    room.closing = null;
    return room;
  }

  #leave(member: Member<Seat>, seat: Seat): void {
    const { room } = seat;
    member.forget(seat.id);
    room.remove(member, seat);
    this.#port.counted(room.topic.kind, -1);
    if (room.size > 0) return;
    room.closing = this.#port.after(this.#options.graceMs, () => {
      this.#rooms.delete(room.topic.key);
      this.#port.close(room.topic);
    });
  }
}
