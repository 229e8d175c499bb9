import type { Head } from '../chain/head.ts';
import type { HeadEvent } from '../chain/headsOptions.ts';
import type { ChainView } from '../chain/view.ts';
import type { SubscriptionsConfig } from '../config/schema.ts';
import type { RouteEntry, RouteTable } from '../health/table.ts';
import type { ChainMetrics } from '../observe/metrics.ts';
import type { LossNotice, TopicBatch } from '../subs/batch.ts';
import { ChainFollower } from '../subs/follower.ts';
import type { Topic } from '../subs/topic.ts';
import type { Asked } from '../subs/want.ts';
import type { FeedSide, TopicFeed } from './feed.ts';
import { headerHash } from './headerHash.ts';
import type { GatewayWorld } from './node.ts';
import { questionAbout } from './nodeQuestion.ts';
import type { NodeWord, Question } from './nodeQuestion.ts';
import { PendingFollow } from './pendingFollow.ts';
import type { PendingParts } from './pendingFollow.ts';
import { SyncingFollow } from './syncingFollow.ts';

/** What following needs of the side that judges. */
export interface FollowParts {
  readonly chain: string;
  readonly world: GatewayWorld;
  readonly metrics: ChainMetrics;
  readonly view: ChainView;
  table(): RouteTable;
  /** Asks a node; the answer never comes within this call. */
  ask(node: number, question: Question, done: (word: NodeWord) => void): void;
  listen: PendingParts['listen'];
  /** Every node that answers says that it is syncing. */
  isSyncing(): boolean;
  /** A node told of a block by itself. @param delayMs behind the first node; -1 = it had told of it before */
  arrived(node: number, delayMs: number): void;
}

interface OpenTopic {
  readonly topic: Topic;
  /** What was told up to then was not told there. */
  readonly sinceSerial: number;
}

const REST = { baseMs: 50, maxMs: 2000 };

/** Follows one chain for all subscribers of all processes: what each of them wants is opened once. */
export class ChainFollow {
  private readonly parts: FollowParts;
  private readonly follower: ChainFollower;
  private readonly pending: PendingFollow;
  private readonly syncing: SyncingFollow;
  private readonly sides = new Map<FeedSide, ReadonlyMap<string, OpenTopic>>();
  private readonly wanted = new Map<string, number>();

  constructor(config: SubscriptionsConfig, parts: FollowParts) {
    this.parts = parts;
    const { world, metrics } = parts;
    const { windowBlocks, windowBytes, tipRace, trustBloom, hedgeMs, settleMs } = config;
    const options = { windowBlocks, maxKeptBytes: windowBytes, tipRace, trustBloom, hedgeMs, settleMs, restMs: REST };
    this.follower = new ChainFollower(options, {
      trusted: parts.view,
      nodesFor: (number) => nodesFor(parts.table(), number),
      ask: (token, node, asked) => this.ask(token, node, asked),
      nowMs: () => world.clock.nowMs(),
      after: (delayMs, run) => world.timers.after(delayMs, run),
      headerHash,
      failedOver: (tookMs) => metrics.subs.onFailover(tookMs),
      refused: (node, { kind, number }, why) => {
        metrics.subs.onRefused(why);
        if (why !== 'absent') world.log.debug({ chain: parts.chain, upstream: parts.table().entries[node]?.name, kind, block: number, why }, 'answer about a block not taken');
      },
      deliver: (batch) => this.deliver(batch),
      lost: (notice) => this.lost(notice),
      backfilled: (kind, results) => metrics.subs.onBackfilled(kind === 'logs' ? results : -1),
      serves: (node) => parts.table().serving.includes(node),
      arrived: (node, delayMs) => parts.arrived(node, delayMs),
    });
    const deliver = (batch: TopicBatch): void => this.deliver(batch);
    this.syncing = new SyncingFollow({ world, deliver, table: parts.table, ask: parts.ask, isSyncing: parts.isSyncing });
    this.pending = new PendingFollow(config.maxPending, {
      world,
      metrics: metrics.subs,
      table: () => parts.table(),
      listen: (node, onHash) => parts.listen(node, onHash),
      ask: (node, question, done) => parts.ask(node, question, done),
      deliver,
    });
  }

  /** Whoever is told from now on; what it does not close itself is closed when it leaves. */
  join(side: FeedSide): TopicFeed & { leave(): void } {
    const open = new Map<string, OpenTopic>();
    this.sides.set(side, open);
    return {
      open: (topic) => {
        if (open.has(topic.key)) return;
        this.open(topic);
        open.set(topic.key, { topic, sinceSerial: this.follower.serial });
      },
      close: (topic) => {
        if (open.delete(topic.key)) this.shut(topic);
      },
      serial: () => this.follower.serial,
      leave: () => {
        this.sides.delete(side);
        for (const { topic } of open.values()) this.shut(topic);
        open.clear();
      },
    };
  }

  /** Tell it each event of the heads, after the view has heard of it. */
  onEvent(event: HeadEvent): void {
    if (event.kind === 'advanced' || event.kind === 'reorg') this.follower.onHead(event.number, event.hash, this.parts.world.clock.nowMs());
  }

  /** A node told of a new block by itself. @param header as it sent it */
  onPushed(node: number, head: Head, header: unknown): void {
    this.follower.onPushed(node, header, head.hash, this.parts.world.clock.nowMs());
  }

  close(): void {
    this.sides.clear();
    this.follower.stop();
    this.pending.close();
    this.syncing.close();
  }

  private open(topic: Topic): void {
    const count = this.wanted.get(topic.key) ?? 0;
    this.wanted.set(topic.key, count + 1);
    if (count > 0) return;
    if (topic.kind === 'newPendingTransactions') this.pending.open(topic.key);
    else if (topic.kind === 'syncing') this.syncing.open();
    else this.follower.open(topic);
  }

  private shut(topic: Topic): void {
    const count = this.wanted.get(topic.key) ?? 0;
    if (count > 1) {
      this.wanted.set(topic.key, count - 1);
      return;
    }
    this.wanted.delete(topic.key);
    if (topic.kind === 'newPendingTransactions') this.pending.shut(topic.key);
    else if (topic.kind === 'syncing') this.syncing.close();
    else this.follower.close(topic);
  }

  private ask(token: number, node: number, asked: Asked): void {
    this.parts.ask(node, questionAbout(asked), (word) => {
      const nowMs = this.parts.world.clock.nowMs();
      if (word === null) this.follower.onFailure(token, nowMs);
      else this.follower.onAnswer(token, word.value, nowMs);
    });
  }

  private deliver(batch: TopicBatch): void {
    for (const [side, open] of this.sides) {
      const opened = open.get(batch.key);
      // what was told before it was opened there is nothing to take back
      if (opened !== undefined && (batch.undoes < 0 || batch.undoes > opened.sinceSerial)) side.deliver(batch);
    }
  }

  private lost(notice: LossNotice): void {
    const { kind, loss } = notice;
    this.parts.metrics.subs.onLoss(kind);
    this.parts.world.log.warn({ chain: this.parts.chain, subscriptions: kind, ...loss }, 'subscribers were told that blocks are missing');
    for (const side of this.sides.keys()) side.lost(notice);
  }
}

/** Those in service that have told of the block come first, then the others in service, then whoever may answer still. */
function nodesFor({ entries }: RouteTable, number: number): readonly number[] {
  const rank = (entry: RouteEntry): number => {
    const serves = entry.weight > 0 && (entry.state === 'serving' || entry.state === 'ramping');
    const has = entry.headNumber >= number;
    return (serves ? 2 : 0) + (has ? 1 : 0);
  };
  return entries
    .filter(({ state }) => state !== 'down' && state !== 'cordoned')
    .sort((a, b) => rank(b) - rank(a) || b.headNumber - a.headNumber)
    .map(({ index }) => index);
}
