import type { LossNotice, TopicBatch } from '../../subs/batch.ts';
import type { Topic } from '../../subs/topic.ts';
import type { TopicFeed } from '../feed.ts';
import type { FromWorker } from './protocol.ts';

/** The notices of one chain in a worker process: what it wants it tells the process that follows the chain. */
export class FeedRelay implements TopicFeed {
  private readonly chain: number;
  private readonly tell: (message: FromWorker) => void;
  private newest = 0;

  constructor(chain: number, tell: (message: FromWorker) => void) {
    this.chain = chain;
    this.tell = tell;
  }

  open(topic: Topic): void {
    this.tell({ kind: 'topic', chain: this.chain, topic, isOpen: true });
  }

  close(topic: Topic): void {
    this.tell({ kind: 'topic', chain: this.chain, topic, isOpen: false });
  }

  serial(): number {
    return this.newest;
  }

  /** Notes a batch that has come. */
  onBatch({ serial }: TopicBatch): void {
    this.newest = Math.max(this.newest, serial);
  }
}

/** The other end of a worker's relays, in the process that follows the chains. */
export class FeedDesk {
  private readonly join: (chain: number, side: { deliver(batch: TopicBatch): void; lost(notice: LossNotice): void }) => (TopicFeed & { leave(): void }) | null;
  private readonly send: (message: { readonly kind: 'batch'; readonly chain: number; readonly batch: TopicBatch } | { readonly kind: 'lost'; readonly chain: number; readonly notice: LossNotice }) => void;
  private readonly feeds = new Map<number, TopicFeed & { leave(): void }>();

  /**
   * @param join connects to what follows a chain; null = the chain is gone
   * @param send to the worker
   */
  constructor(join: FeedDesk['join'], send: FeedDesk['send']) {
    this.join = join;
    this.send = send;
  }

  onTopic({ chain, topic, isOpen }: Extract<FromWorker, { readonly kind: 'topic' }>): void {
    const feed = this.feeds.get(chain) ?? this.connect(chain);
    if (isOpen) feed?.open(topic);
    else feed?.close(topic);
  }

  /** The worker is gone, and what it wanted with it. */
  close(): void {
    for (const feed of this.feeds.values()) feed.leave();
    this.feeds.clear();
  }

  private connect(chain: number): (TopicFeed & { leave(): void }) | null {
    const feed = this.join(chain, {
      deliver: (batch) => this.send({ kind: 'batch', chain, batch }),
      lost: (notice) => this.send({ kind: 'lost', chain, notice }),
    });
    if (feed !== null) this.feeds.set(chain, feed);
    return feed;
  }
}
