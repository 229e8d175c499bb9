import type { TimerHandle } from '../base/clock.ts';
import type { RouteTable } from '../health/table.ts';
import type { SubsMetrics } from '../observe/subsMetrics.ts';
import type { TopicBatch } from '../subs/batch.ts';
import type { NodeWord, Question } from './nodeQuestion.ts';
import type { GatewayWorld } from './node.ts';
import { RecentHashes } from './recent.ts';

/** One node's pending transactions, until it is closed. */
export interface PendingSource {
  close(): void;
}

export interface PendingParts {
  readonly world: GatewayWorld;
  readonly metrics: SubsMetrics;
  table(): RouteTable;
  /** Starts to listen to a node; null when it is gone. */
  listen(node: number, onHash: (hash: string) => void): PendingSource | null;
  ask(node: number, question: Question, done: (word: NodeWord) => void): void;
  deliver(batch: TopicBatch): void;
}

export const PENDING = 'newPendingTransactions';
/** Whole transactions. */
export const PENDING_FULL = `${PENDING}:full`;
/** How often it is looked whether the node that is listened to is still in service. */
const LOOK_MS = 1_000;

/** Pending transactions of one node at a time, for as long as somebody wants them; each is told once. */
export class PendingFollow {
  private readonly parts: PendingParts;
  private readonly seen: RecentHashes;
  private readonly wanted = new Set<string>();
  private source: { readonly node: number; readonly listening: PendingSource } | null = null;
  private timer: TimerHandle | null = null;

  /** @param maxPending hashes that are remembered */
  constructor(maxPending: number, parts: PendingParts) {
    this.parts = parts;
    this.seen = new RecentHashes(maxPending);
  }

  open(key: string): void {
    this.wanted.add(key);
    if (this.timer === null) this.look();
  }

  shut(key: string): void {
    this.wanted.delete(key);
    if (this.wanted.size === 0) this.close();
  }

  close(): void {
    this.wanted.clear();
    this.timer?.cancel();
    this.timer = null;
    this.move(-1);
  }

  /** Stays with its node while that serves, else takes the best that does. */
  private look(): void {
    const { serving } = this.parts.table();
    const now = this.source?.node ?? -1;
    if (!serving.includes(now)) this.move(serving[0] ?? -1);
    this.timer = this.parts.world.timers.after(LOOK_MS, () => this.look());
  }

  private move(node: number): void {
    this.source?.listening.close();
    const listening = node < 0 ? null : this.parts.listen(node, (hash) => this.onHash(node, hash));
    this.source = listening === null ? null : { node, listening };
  }

  private onHash(node: number, hash: string): void {
    if (this.seen.has(hash)) return;
    this.seen.add(hash);
    this.parts.metrics.pendingTold.add();
    this.tell(PENDING, `"${hash}"`);
    if (!this.wanted.has(PENDING_FULL)) return;
    this.parts.ask(node, { method: 'eth_getTransactionByHash', paramsRaw: `["${hash}"]` }, (word) => {
      if (typeof word?.value === 'object' && word.value !== null) this.tell(PENDING_FULL, JSON.stringify(word.value));
    });
  }

  private tell(key: string, result: string): void {
    if (!this.wanted.has(key)) return;
    this.parts.deliver({ key, results: [result], number: -1, serial: -1, undoes: -1, receivedMs: this.parts.world.clock.nowMs() });
  }
}
