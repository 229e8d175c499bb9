import type { Catalog } from '../../chain/catalog.ts';
import { ReplicaView } from '../../chain/replicaView.ts';
import { shareInFlight, shareUpstream } from '../../config/share.ts';
import type { ChainConfig, WebSocketConfig } from '../../config/schema.ts';
import type { RouteEntry, RouteTable } from '../../health/table.ts';
import { diffTable, patchTable } from '../../health/tablePatch.ts';
import type { TablePatch } from '../../health/tablePatch.ts';
import { blankTable } from '../../health/picture.ts';
import type { ChainMetrics } from '../../observe/metrics.ts';
import { ChainRuntime } from '../chain.ts';
import type { Seat } from '../judging.ts';
import type { GatewayWorld } from '../node.ts';
import type { Publisher } from '../publisher.ts';
import { cellSource } from './cellFile.ts';
import { FeedRelay } from './feedRelay.ts';
import { FilterRelay } from './filterRelay.ts';
import { Outbox } from './outbox.ts';
import { CELL_FD } from './protocol.ts';
import { SendRelay } from './sendRelay.ts';
import type { ChainPicture, FromWorker, ToWorker } from './protocol.ts';

/** What the chains of a worker share. */
export interface RemoteParts {
  readonly world: GatewayWorld;
  readonly catalog: Catalog;
  /** How many workers share what a node may be asked for. */
  readonly workers: number;
  /** Asks for a report as soon as may be. */
  hurry(): void;
  readonly publisher: Publisher;
  readonly webSocket: WebSocketConfig;
  tell(message: FromWorker): void;
}

/** The serving side of a chain that another process judges. */
export class RemoteChain {
  readonly id: number;
  readonly name: string;
  readonly serving: ChainRuntime;
  readonly outbox: Outbox;
  private readonly parts: RemoteParts;
  private readonly metrics: ChainMetrics;
  private readonly view: ReplicaView;
  private readonly relay: FeedRelay;
  private readonly filters: FilterRelay;
  private readonly sends: SendRelay;
  private shown = new Set<number>();

  /** @param config this worker's share */
  constructor(config: ChainConfig, picture: ChainPicture, parts: RemoteParts & { readonly metrics: ChainMetrics }) {
    const { world, catalog, metrics } = parts;
    this.id = picture.id;
    this.name = picture.name;
    this.parts = parts;
    this.metrics = metrics;
    this.outbox = new Outbox(picture.id, parts.hurry);
    this.view = new ReplicaView(config.health.trustedHead.reorgDepth, cellSource(CELL_FD, picture.id));
    this.view.refresh();
    this.relay = new FeedRelay(picture.id, parts.tell);
    const subs = { publisher: parts.publisher, webSocket: parts.webSocket, feed: () => this.relay };
    this.filters = new FilterRelay(picture.id, parts.tell);
    this.sends = new SendRelay(picture.id, parts.tell);
    this.serving = new ChainRuntime(config, { world, catalog, metrics, filters: this.filters, sends: this.sends, judging: this.outbox, view: this.view, budgetShare: 1 / parts.workers, subs });
    this.seat(picture.seats, 0);
    this.take(diffTable(blankTable(picture.name), picture.table), picture.atMs);
    if (picture.branch !== null) this.view.learn(picture.branch);
    for (const compared of picture.compared) this.serving.onCompared(compared);
    if (picture.chainId !== null) this.serving.onChainId(picture.chainId);
  }

  /** Takes a message about this chain. */
  onMessage(message: Extract<ToWorker, { readonly chain: number }>): void {
    if (message.kind === 'table') this.take(message.patch, message.atMs);
    else if (message.kind === 'branch') this.view.learn(message.branch);
    else if (message.kind === 'seats') this.seat(message.seats, message.graceMs);
    else if (message.kind === 'answered') this.serving.onAnswered(message.index, message.calls);
    else if (message.kind === 'flush') this.serving.onFlush(message.scope);
    else if (message.kind === 'batch') {
      this.relay.onBatch(message.batch);
      this.serving.subs.deliver(message.batch);
    } else if (message.kind === 'lost') this.serving.subs.lost(message.notice);
    else if (message.kind === 'filterWord') this.filters.onWord(message.turn, message.word);
    else if (message.kind === 'compared') this.serving.onCompared(message.compared);
    else if (message.kind === 'sent') this.serving.onSent(message.hash, message.index);
    else if (message.kind === 'lastSend') this.sends.onLast(message.turn, message.send);
    else this.serving.onChainId(message.chainId);
  }

  /** Brings up to date what is only counted when somebody asks. */
  count(): void {
    const { serving, metrics } = this;
    serving.countRefusedRetries();
    const nowMs = this.parts.world.clock.nowMs();
    for (const index of this.shown) metrics.setUpstreamBudget(index, serving.book.budgets.facts(index, nowMs));
  }

  private seat(seats: readonly Seat[], graceMs: number): void {
    const { workers } = this.parts;
    this.serving.seat(seats.map((seat) => ({ ...seat, config: shareUpstream(seat.config, workers) })), graceMs);
    const now = new Set(seats.map(({ index }) => index));
    for (const { index, config } of seats) if (!this.shown.has(index)) this.metrics.addUpstream(index, config.name);
    for (const index of this.shown) if (!now.has(index)) this.metrics.removeUpstream(index);
    this.shown = now;
  }

  /** @param atMs the judge's clock when it sent the table: its times are moved to ours, late by the message's way */
  private take(patch: TablePatch, atMs: number): void {
    const shiftMs = this.parts.world.clock.nowMs() - atMs;
    const { workers } = this.parts;
    const local = (entry: RouteEntry): RouteEntry => ({
      ...entry,
      maxInFlight: shareInFlight(entry.maxInFlight, workers),
      heldUntilMs: entry.heldUntilMs === 0 ? 0 : entry.heldUntilMs + shiftMs,
    });
    const before: RouteTable = this.serving.table;
    this.serving.take(patchTable(before, patch, local));
  }
}
