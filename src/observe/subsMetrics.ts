import type { SlowAction } from '../subs/member.ts';
import type { Refusal } from '../subs/source.ts';
import type { TopicKind } from '../subs/topic.ts';
import { LABELS } from './metricTable.ts';
import type { Sheet } from './page.ts';
import { Cell, CounterSet, DURATION_SCALE, LogHistogram } from './series.ts';
import type { Labels } from './series.ts';

/** Counts of one chain's subscriptions. */
export class SubsMetrics {
  /** Client WebSocket connections that are open. */
  readonly sockets = new Cell();
  readonly pendingTold = new Cell();
  readonly #labels: Labels;
  readonly #open: ReadonlyMap<TopicKind, { readonly labels: Labels; readonly cell: Cell }>;
  readonly #notices: CounterSet<TopicKind>;
  readonly #losses: CounterSet<TopicKind>;
  readonly #slow: CounterSet<SlowAction>;
  readonly #refused: CounterSet<Refusal>;
  readonly #delays: LogHistogram;
  readonly #failovers: LogHistogram;
  readonly #backfilledBlocks = new Cell();
  readonly #backfilledLogs = new Cell();

  constructor(labels: Labels) {
    this.#labels = labels;
    this.#open = new Map(LABELS.topicKinds.names.map((kind) => [kind, { labels: { ...labels, kind }, cell: new Cell() }]));
    this.#notices = new CounterSet(labels, 'kind', LABELS.topicKinds);
    this.#losses = new CounterSet(labels, 'kind', LABELS.topicKinds);
    this.#slow = new CounterSet(labels, 'action', LABELS.slowActions);
    this.#refused = new CounterSet(labels, 'reason', LABELS.blockRefusals);
    this.#delays = new LogHistogram(labels, DURATION_SCALE);
    this.#failovers = new LogHistogram(labels, DURATION_SCALE);
  }

  /** A subscription began or ended. */
  onSubscription(kind: TopicKind, change: 1 | -1): void {
    this.#open.get(kind)?.cell.add(change);
  }

  /** A batch of notices was handed out. @param delayMs since its cause came in */
  onSent(kind: TopicKind, notices: number, delayMs: number): void {
    this.#notices.add(kind, notices);
    this.#delays.observe(delayMs);
  }

  onLoss(kind: TopicKind): void {
    this.#losses.add(kind);
  }

  onSlow(action: SlowAction, count: number): void {
    this.#slow.add(action, count);
  }

  onRefused(reason: Refusal): void {
    this.#refused.add(reason);
  }

  onFailover(tookMs: number): void {
    this.#failovers.observe(tookMs);
  }

  /** A block was told of late. @param logs how many of its logs; -1 = it was a head */
  onBackfilled(logs: number): void {
    if (logs < 0) this.#backfilledBlocks.add();
    else this.#backfilledLogs.add(logs);
  }

  emit(page: Sheet): void {
    const labels = this.#labels;
    page.level('sockets', labels, this.sockets);
    for (const { labels: own, cell } of this.#open.values()) page.level('subscriptions', own, cell);
    page.counters('notices', this.#notices);
    page.histogram('noticeDelay', this.#delays);
    page.counters('noticeLosses', this.#losses);
    page.counters('slowClients', this.#slow);
    page.count('backfilledBlocks', labels, this.#backfilledBlocks);
    page.count('backfilledLogs', labels, this.#backfilledLogs);
    page.histogram('fetchFailovers', this.#failovers);
    page.counters('refusedBlocks', this.#refused);
    page.count('pendingTold', labels, this.pendingTold);
  }
}
