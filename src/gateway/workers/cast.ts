import type { Compared } from '../../cache/derive/proofs.ts';
import type { FlushScope } from '../../cache/store.ts';
import type { Branch } from '../../chain/replicaView.ts';
import type { ChainView } from '../../chain/view.ts';
import { blankTable } from '../../health/picture.ts';
import type { RouteTable } from '../../health/table.ts';
import { diffTable } from '../../health/tablePatch.ts';
import type { Seat, Serving } from '../judging.ts';
import type { GatewayWorld } from '../node.ts';
import type { ChainWatch } from '../watch.ts';
import type { CellFile } from './cellFile.ts';
import type { ChainPicture, ToWorker } from './protocol.ts';

/** Where a cast goes. */
export interface CastParts {
  readonly world: GatewayWorld;
  readonly cells: CellFile;
  /** To every worker that was told of the chain. */
  send(message: ToWorker): void;
}

/** Hashes below the last head that are told again: a node may have filled a gap since. */
const OVERLAP = 8;

/** Stands in for the serving sides of a chain in other processes, and tells them what it is told. */
export class ChainCast implements Serving {
  readonly id: number;
  readonly watch: ChainWatch;
  private readonly parts: CastParts;
  private table: RouteTable;
  private seats: readonly Seat[] = [];
  private toldEpoch = -1;
  private toldNumber = -1;

  constructor(watch: ChainWatch, parts: CastParts) {
    this.id = parts.cells.add();
    this.watch = watch;
    this.parts = parts;
    this.table = blankTable(watch.name);
    watch.join(this);
  }

  /** All that is known, for a worker that starts. */
  picture(): ChainPicture {
    const { id, watch, seats, table } = this;
    return { id, name: watch.name, chainId: watch.chainId, seats, table, branch: this.branch(0), compared: watch.proofs.samples(), atMs: this.parts.world.clock.nowMs() };
  }

  seat(seats: readonly Seat[], graceMs: number): void {
    this.seats = seats;
    this.parts.send({ kind: 'seats', chain: this.id, seats, graceMs });
  }

  take(table: RouteTable): void {
    const before = this.table;
    this.table = table;
    this.mark(before, table);
    this.parts.send({ kind: 'table', chain: this.id, patch: diffTable(before, table), atMs: this.parts.world.clock.nowMs() });
  }

  onAnswered(index: number, calls = 1): void {
    this.parts.send({ kind: 'answered', chain: this.id, index, calls });
  }

  onSent(hash: string, index: number): void {
    this.parts.send({ kind: 'sent', chain: this.id, hash, index });
  }

  onCompared(compared: Compared): void {
    this.parts.send({ kind: 'compared', chain: this.id, compared });
  }

  onFlush(scope: FlushScope): void {
    this.parts.send({ kind: 'flush', chain: this.id, scope });
  }

  onChainId(chainId: number): void {
    this.parts.send({ kind: 'chainId', chain: this.id, chainId });
  }

  /** The cell is written before any worker is told, so that who was told first shows nothing that the others cannot see. */
  private mark(before: RouteTable, now: RouteTable): void {
    const { view } = this.watch;
    const moved = before.trustedNumber !== now.trustedNumber || before.trustedHash !== now.trustedHash;
    if (!moved && before.finalizedNumber === now.finalizedNumber && view.epoch === this.toldEpoch) return;
    const { epoch, head, finalized, blockTimeMs } = view;
    this.parts.cells.write(this.id, { epoch, head, finalized, blockTimeMs });
    const branch = this.branch(epoch === this.toldEpoch ? this.toldNumber - OVERLAP : 0);
    this.toldEpoch = epoch;
    this.toldNumber = head?.number ?? -1;
    if (branch !== null) this.parts.send({ kind: 'branch', chain: this.id, branch });
  }

  /** The trusted branch from a height on, as far as it is remembered. */
  private branch(from: number): Branch | null {
    const { view, config } = this.watch;
    return branchOf(view, Math.max(from, (view.head?.number ?? 0) - config.health.trustedHead.reorgDepth + 1, 0));
  }
}

function branchOf(view: ChainView, from: number): Branch | null {
  const { head, epoch } = view;
  if (head === null) return null;
  const hashes = Array.from({ length: Math.max(0, head.number - from + 1) }, (_, i) => view.hashAt(from + i));
  return { epoch, from, hashes };
}
