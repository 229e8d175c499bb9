import { Fault } from '../base/fault.ts';
import type { ChainView } from '../chain/view.ts';
import type { SubscriptionsConfig, WebSocketConfig } from '../config/schema.ts';
import type { SubsMetrics } from '../observe/subsMetrics.ts';
import type { LossNotice, RacedHead, TopicBatch } from '../subs/batch.ts';
import type { Member, SubscriberSocket } from '../subs/member.ts';
import { SubscriptionMux } from '../subs/mux.ts';
import type { Seat } from '../subs/room.ts';
import { readTopic } from '../subs/topic.ts';
import type { FeedSide, TopicFeed } from './feed.ts';
import type { GatewayWorld } from './node.ts';
import type { Publisher } from './publisher.ts';
import { RacedView } from './racedView.ts';
import { idOf, newId } from './streamId.ts';
import { Vantage } from './vantage.ts';

export type SubscriptionMember = Member<Seat>;

export interface ChainSubsParts {
  readonly world: GatewayWorld;
  readonly metrics: SubsMetrics;
  readonly view: ChainView;
  readonly publisher: Publisher;
  readonly webSocket: WebSocketConfig;
  /** Connects to where the notices come from. */
  feed(side: FeedSide): TopicFeed;
}

/** The subscriptions of this process's clients to one chain. */
export class ChainSubs implements FeedSide {
  private readonly config: SubscriptionsConfig;
  private readonly parts: ChainSubsParts;
  private readonly mux: SubscriptionMux;
  /** The newest block that was told of before it was trusted. */
  private racedHead: RacedHead | null = null;
  private racedVantage: Vantage | null = null;

  constructor(config: SubscriptionsConfig, parts: ChainSubsParts) {
    this.config = config;
    this.parts = parts;
    const { world, metrics, publisher } = parts;
    const { maxSubscriptions, softLimitBytes, hardLimitBytes, slowPolicy: policy } = parts.webSocket;
    const feed = parts.feed(this);
    this.mux = new SubscriptionMux({ graceMs: config.graceMs, maxPerConnection: maxSubscriptions, softLimitBytes, hardLimitBytes, policy }, {
      open: (topic) => feed.open(topic),
      close: (topic) => feed.close(topic),
      serial: () => feed.serial(),
      publish: (topicId, message) => publisher.publish(topicId, message),
      newId: () => newId(world.random),
      after: (delayMs, run) => world.timers.after(delayMs, run),
      counted: (kind, change) => metrics.onSubscription(kind, change),
      sent: (kind, notices, receivedMs) => metrics.onSent(kind, notices, Math.max(0, world.clock.nowMs() - receivedMs)),
      slow: (action, count) => metrics.onSlow(action, count),
    });
  }

  attach(socket: SubscriberSocket): SubscriptionMember {
    this.parts.metrics.sockets.add();
    return this.mux.attach(socket);
  }

  detach(member: SubscriptionMember): void {
    this.parts.metrics.sockets.add(-1);
    this.mux.detach(member);
  }

  onDrain(member: SubscriptionMember): void {
    this.mux.onDrain(member);
  }

  /** Nothing is told to the connection until `release`, and nothing is lost: an answer under way comes first. */
  hold(member: SubscriptionMember): void {
    this.mux.hold(member);
  }

  release(member: SubscriptionMember): void {
    this.mux.release(member);
  }

  /** `eth_subscribe`. @returns raw JSON of the result */
  subscribe(member: SubscriptionMember, paramsRaw: string): string | Fault {
    const topic = readTopic(paramsRaw, this.config.maxFilterItems);
    if (topic instanceof Fault) return topic;
    const id = this.mux.subscribe(member, topic);
    return id === null ? new Fault('tooManySubscriptions', `${this.parts.webSocket.maxSubscriptions} on one connection`) : `"${id}"`;
  }

  /** `eth_unsubscribe`. @returns raw JSON of the result */
  unsubscribe(member: SubscriptionMember, paramsRaw: string): string | Fault {
    const id = idOf(paramsRaw);
    if (id === null) return new Fault('invalidParams', 'params[0] must be a subscription id');
    return this.mux.unsubscribe(member, id) ? 'true' : new Fault('subscriptionNotFound');
  }

  /** Height that the connection was told of and must be able to read; -1 = none. */
  toldNumber(member: SubscriptionMember): number {
    const head = this.parts.view.head?.number ?? -1;
    // a chain that was rewound has no such block any more
    return Math.min(this.mux.toldNumber(member), this.config.tipRace ? head + 1 : head);
  }

  /** The chain up to the block that the connection was told of before it is trusted; null = it was not, or it is by now, or will not be. */
  raced(member: SubscriptionMember): Vantage | null {
    const { racedHead: raced, parts } = this;
    const { head, epoch } = parts.view;
    if (raced === null || head === null || head.hash !== raced.parentHash || this.mux.toldNumber(member) !== raced.number) return null;
    if (this.racedVantage?.raced !== raced.hash || this.racedVantage.epoch !== epoch) {
      this.racedVantage = new Vantage(new RacedView(parts.view, raced), parts.world.clock.nowMs(), raced.hash);
    }
    return this.racedVantage;
  }

  /** The chain is served no more. */
  close(): void {
    this.mux.end(1012, 'this chain is served here no more');
  }

  deliver(batch: TopicBatch): void {
    if (batch.raced !== undefined) this.racedHead = batch.raced;
    this.mux.deliver(batch);
  }

  lost(notice: LossNotice): void {
    this.mux.lost(notice);
  }
}
