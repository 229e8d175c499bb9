import type { Compared } from '../cache/derive/proofs.ts';
import type { FlushScope } from '../cache/store.ts';
import type { Outcome } from '../chain/outcome.ts';
import type { UpstreamConfig } from '../config/schema.ts';
import type { RouteTable } from '../health/table.ts';

/**
 * The judging side of a chain as its serving side sees it: what came of calls goes there. In one process it is the judge's
 * own side; in a worker process it is a batch for the process that judges. All indices are `RouteEntry.index`.
 */
export interface Judging {
  /** Hot: one attempt ended. */
  onOutcome(index: number, outcome: Outcome, latencyMs: number, nowMs: number): void;
  /** A node said that it lacks a method. */
  onUnsupported(index: number, methodIndex: number, nowMs: number): void;
  /** A node lacks the state of a block far below the head. */
  onPruned(index: number, block: number, nowMs: number): void;
  /** Calls wait for a newer head: the nodes are to be asked for theirs soon. Told again while they wait. */
  onWanted(): void;
  /** A node took a transaction: every process that serves the chain is to know of it (`Serving.onSent`). */
  onSent(hash: string, index: number): void;
  /** A derived answer was compared with a node's own: every process that serves the chain is to know (`Serving.onCompared`). */
  onCompared(compared: Compared): void;
  /** Stored answers are void in every process that serves the chain (`Serving.onFlush`). */
  onFlush(scope: FlushScope): void;
}

/** A node that calls may be sent to. */
export interface Seat {
  readonly index: number;
  readonly config: UpstreamConfig;
  /** Another number = new sockets. */
  readonly generation: number;
  readonly connectTimeoutMs: number;
  readonly maxResponseBytes: number;
}

/** The serving side of a chain as its judging side sees it. Told in the order in which things happened. */
export interface Serving {
  /** The nodes from now on. @param graceMs time that calls under way at those that leave get to finish */
  seat(seats: readonly Seat[], graceMs: number): void;
  /** Another route table. */
  take(table: RouteTable): void;
  /** A node has answered a probe. @param calls how many calls the probe was; 1 by default */
  onAnswered(index: number, calls?: number): void;
  /** A node took a transaction, from a call of this process or of another. @param hash lower case */
  onSent(hash: string, index: number): void;
  /** A derived answer was compared with a node's own, here or in another process. */
  onCompared(compared: Compared): void;
  /** Stored answers are void. */
  onFlush(scope: FlushScope): void;
  /** The chain id became known. */
  onChainId(chainId: number): void;
}
