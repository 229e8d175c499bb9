import { beforeEach, describe, expect, it } from 'vitest';
import type { SlowPolicy, SubscriberSocket } from '../../../src/subs/member.ts';
import { SubscriptionMux } from '../../../src/subs/mux.ts';
import { readTopic } from '../../../src/subs/topic.ts';
import type { Topic } from '../../../src/subs/topic.ts';
import { VirtualWorld } from '../../sim/world.ts';

const HEADS = readTopic('["newHeads"]', 10) as Topic;
const LOGS = readTopic('["logs"]', 10) as Topic;

/** A connection that keeps what it was sent. */
class Socket implements SubscriberSocket {
  readonly got: string[] = [];
  readonly joined = new Set<string>();
  buffered = 0;
  ended = '';

  send(message: string): void {
    const { method, params } = JSON.parse(message) as { method: string; params: { subscription?: string; result?: unknown; kind?: string; count?: number } };
    this.got.push(method === 'eth_subscription' ? `${params.subscription}=${String(params.result)}` : `${params.kind} ${params.count ?? ''}`.trim());
  }

  join(topicId: string): void {
    this.joined.add(topicId);
  }

  leave(topicId: string): void {
    this.joined.delete(topicId);
  }

  bufferedBytes(): number {
    return this.buffered;
  }

  end(code: number, reason: string): void {
    this.ended = `${code} ${reason}`;
  }
}

let world: VirtualWorld;
let sockets: Socket[];
let events: string[];
let published: number;
let serial: number;
let mux: SubscriptionMux;

/** @param softLimitBytes by default so small that everybody is looked at before each notice */
function open(policy: SlowPolicy = 'disconnect', softLimitBytes = 4): void {
  let ids = 0;
  world = new VirtualWorld();
  sockets = [];
  events = [];
  published = 0;
  serial = 0;
  mux = new SubscriptionMux({ softLimitBytes, hardLimitBytes: 500, policy, graceMs: 5000, maxPerConnection: 3 }, {
    open: ({ key }) => events.push(`open ${key}`),
    close: ({ key }) => events.push(`close ${key}`),
    serial: () => serial,
    publish: (id, message) => {
      published++;
      for (const socket of sockets) if (socket.joined.has(id)) socket.send(message);
    },
    newId: () => `id${++ids}`,
    after: (delayMs, run) => world.after(delayMs, run),
    counted: () => undefined,
    sent: () => undefined,
    slow: (action, count) => events.push(`${action} ${count}`),
  });
}
beforeEach(() => open());

function client() {
  const socket = new Socket();
  sockets.push(socket);
  return { socket, member: mux.attach(socket) };
}

const deliver = (topic: Topic, results: readonly string[], undoes = -1): void => {
  if (undoes < 0) serial++;
  mux.deliver({ key: topic.key, results, number: serial, serial, undoes, receivedMs: 0 });
};

describe('clients of one topic', () => {
  it('share one id and one published message; a second subscription of a connection has its own', () => {
    const [a, b] = [client(), client()];
    expect([mux.subscribe(a.member, HEADS), mux.subscribe(b.member, HEADS), mux.subscribe(b.member, HEADS)]).toEqual(['id1', 'id1', 'id2']);
    deliver(HEADS, ['1', '2']);
    expect(published).toBe(2);
    expect(a.socket.got).toEqual(['id1=1', 'id1=2']);
    expect(b.socket.got).toEqual(['id1=1', 'id2=1', 'id1=2', 'id2=2']);
    expect(events).toEqual(['open newHeads']);
  });

  it('may unsubscribe each by itself, and a topic closes when nobody has wanted it for a while', () => {
    const [a, b] = [client(), client()];
    mux.subscribe(a.member, HEADS);
    mux.subscribe(b.member, HEADS);
    expect(mux.unsubscribe(a.member, 'id9')).toBe(false);
    expect(mux.unsubscribe(a.member, 'id1')).toBe(true);
    expect(mux.unsubscribe(a.member, 'id1')).toBe(false);
    deliver(HEADS, ['1']);
    expect([a.socket.got, b.socket.got]).toEqual([[], ['id1=1']]);
    mux.detach(b.member);
    mux.detach(b.member);
    world.run(4999);
    expect(mux.subscribe(a.member, HEADS)).toBe('id1');
    world.run(20_000);
    expect(events).toEqual(['open newHeads']);
    mux.unsubscribe(a.member, 'id1');
    world.run(40_000);
    expect(events).toEqual(['open newHeads', 'close newHeads']);
    expect(mux.topics).toBe(0);
  });

  it('have a limit of subscriptions', () => {
    const a = client();
    expect([1, 2, 3, 4].map(() => mux.subscribe(a.member, HEADS))).toEqual(['id1', 'id2', 'id3', null]);
  });

  it('take back only what they were told', () => {
    const [a, b] = [client(), client()];
    mux.subscribe(a.member, LOGS);
    deliver(LOGS, ['1']);
    mux.subscribe(b.member, LOGS);
    deliver(LOGS, ['2']);
    deliver(LOGS, ['-2'], 2);
    deliver(LOGS, ['-1'], 1);
    expect(a.socket.got).toEqual(['id1=1', 'id1=2', 'id1=-2', 'id1=-1']);
    expect(b.socket.got).toEqual(['id1=2', 'id1=-2']);
  });

  it('know the highest block that a connection was told of', () => {
    const a = client();
    expect(mux.toldNumber(a.member)).toBe(-1);
    mux.subscribe(a.member, HEADS);
    mux.subscribe(a.member, LOGS);
    deliver(LOGS, ['1']);
    deliver(HEADS, ['2']);
    expect(mux.toldNumber(a.member)).toBe(2);
  });

  it('are told of a loss under their own ids', () => {
    const a = client();
    mux.subscribe(a.member, HEADS);
    mux.subscribe(a.member, LOGS);
    mux.lost({ kind: 'logs', loss: { kind: 'gap', from: 5, to: 9 } });
    expect(a.socket.got).toEqual(['gap']);
  });
});

describe('a slow client', () => {
  it('leaves what is published, is served from its own queue in order, and comes back when it has read', () => {
    const [slow, quick] = [client(), client()];
    for (const { member } of [slow, quick]) mux.subscribe(member, HEADS);
    slow.socket.buffered = 1001;
    deliver(HEADS, ['1']);
    deliver(HEADS, ['2']);
    expect([slow.socket.got, quick.socket.got]).toEqual([[], ['id1=1', 'id1=2']]);
    expect(slow.socket.joined.size).toBe(0);
    // a subscription that begins meanwhile waits its turn too
    mux.subscribe(slow.member, LOGS);
    deliver(LOGS, ['"a"']);
    slow.socket.buffered = 0;
    mux.onDrain(slow.member);
    expect(slow.socket.got).toEqual(['id1=1', 'id1=2', 'id2=a']);
    expect(slow.socket.joined.size).toBe(2);
    deliver(HEADS, ['3']);
    expect(slow.socket.got.at(-1)).toBe('id1=3');
    expect(events.filter((event) => !event.startsWith('open'))).toEqual(['parked 1', 'resumed 1']);
  });

  it('is noticed once a quarter of the soft limit was published since the last look', () => {
    open('disconnect', 1000);
    const slow = client();
    mux.subscribe(slow.member, HEADS);
    slow.socket.buffered = 1001;
    const notice = `"${'x'.repeat(118)}"`;
    deliver(HEADS, [notice]);
    deliver(HEADS, [notice]);
    expect(events).toEqual(['open newHeads']);
    deliver(HEADS, ['"waits"']);
    expect(events).toEqual(['open newHeads']);
    deliver(HEADS, ['"more"']);
    expect(events).toEqual(['open newHeads', 'parked 1']);
    expect(slow.socket.got).toHaveLength(3);
  });

  it('gets nothing of a subscription that it ended meanwhile', () => {
    const slow = client();
    mux.subscribe(slow.member, HEADS);
    mux.subscribe(slow.member, LOGS);
    slow.socket.buffered = 1001;
    deliver(HEADS, ['1']);
    deliver(LOGS, ['"a"']);
    mux.unsubscribe(slow.member, 'id1');
    slow.socket.buffered = 0;
    mux.onDrain(slow.member);
    expect(slow.socket.got).toEqual(['id2=a']);
  });

  it('past the hard limit is disconnected, and nothing more is sent', () => {
    const slow = client();
    mux.subscribe(slow.member, HEADS);
    slow.socket.buffered = 1001;
    for (let i = 0; i < 10; i++) deliver(HEADS, [String(i)]);
    expect(slow.socket.ended).toBe('1013 slow consumer');
    slow.socket.buffered = 0;
    mux.onDrain(slow.member);
    expect(slow.socket.got).toEqual([]);
    expect(events).toEqual(['open newHeads', 'parked 1', 'disconnected 1']);
  });

  it('loses the oldest and is told how many, where the config says so', () => {
    open('drop-oldest');
    const slow = client();
    mux.subscribe(slow.member, HEADS);
    slow.socket.buffered = 1001;
    for (let i = 0; i < 10; i++) deliver(HEADS, [String(i)]);
    slow.socket.buffered = 0;
    mux.onDrain(slow.member);
    const [first, ...rest] = slow.socket.got;
    expect(first).toBe(`dropped ${10 - rest.length}`);
    expect(rest).toEqual(Array.from({ length: rest.length }, (_, i) => `id1=${10 - rest.length + i}`));
    expect(rest.length).toBeGreaterThan(1);
  });

  it('gets only the newest head, where the config says so, but every log', () => {
    open('conflate');
    const slow = client();
    mux.subscribe(slow.member, HEADS);
    mux.subscribe(slow.member, LOGS);
    slow.socket.buffered = 1001;
    deliver(LOGS, ['"a"']);
    for (let i = 0; i < 20; i++) deliver(HEADS, [String(i)]);
    slow.socket.buffered = 0;
    mux.onDrain(slow.member);
    expect(slow.socket.got[0]).toBe('id2=a');
    expect(slow.socket.got.at(-1)).toBe('id1=19');
    expect(slow.socket.got.length).toBeLessThan(10);
    slow.socket.buffered = 1001;
    for (let i = 0; i < 10; i++) deliver(LOGS, [String(i)]);
    expect(slow.socket.ended).toBe('1013 slow consumer');
  });

  it('that is held back for an answer is told afterwards', () => {
    const a = client();
    mux.hold(a.member);
    mux.subscribe(a.member, HEADS);
    deliver(HEADS, ['1']);
    mux.onDrain(a.member);
    expect(a.socket.got).toEqual([]);
    mux.release(a.member);
    expect(a.socket.got).toEqual(['id1=1']);
    deliver(HEADS, ['2']);
    expect(a.socket.got).toEqual(['id1=1', 'id1=2']);
    expect(events).toEqual(['open newHeads']);
  });
});
