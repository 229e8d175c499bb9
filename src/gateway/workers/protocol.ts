import type { Compared } from '../../cache/derive/proofs.ts';
import type { FlushScope } from '../../cache/store.ts';
import type { Branch } from '../../chain/replicaView.ts';
import type { Config } from '../../config/schema.ts';
import type { Certificate } from '../../edge/certificate.ts';
import type { RouteTable } from '../../health/table.ts';
import type { TablePatch } from '../../health/tablePatch.ts';
import type { Counts } from '../../observe/tally.ts';
import type { LossNotice, TopicBatch } from '../../subs/batch.ts';
import type { Topic } from '../../subs/topic.ts';
import type { FilterAsk, FilterWord } from '../filters/desk.ts';
import type { Seat } from '../judging.ts';
import type { SharedSend } from '../sharedSends.ts';

/** Names the slot of a worker in its environment. */
export const WORKER_ENV = 'TIDEGATE_WORKER';
/** Where a worker finds the file of the cells among its open files. */
export const CELL_FD = 4;
/** Longest time between two reports of a worker that is well. */
export const REPORT_MS = 250;

/** A chain as the process that judges it sees it. */
export interface ChainPicture {
  /** Unlike the name it is never used again; also the number of the chain's cell. */
  readonly id: number;
  readonly name: string;
  readonly chainId: number | null;
  readonly seats: readonly Seat[];
  readonly table: RouteTable;
  readonly branch: Branch | null;
  /** What derived answers were compared so far. */
  readonly compared: readonly Compared[];
  /** Clock of the sender, to which times in the table refer. */
  readonly atMs: number;
}

/** From the process that judges to a worker. A message about a chain that the worker does not know is void. */
export type ToWorker =
  /** Once, in answer to `hello`. `config` is the whole; the worker takes its share. */
  | { readonly kind: 'begin'; readonly workers: number; readonly config: Config; readonly certificate: Certificate | null; readonly chains: readonly ChainPicture[] }
  /** All chains in the order of the config; answered by `applied`. */
  | { readonly kind: 'config'; readonly turn: number; readonly config: Config; readonly chains: readonly ChainPicture[] }
  | { readonly kind: 'seats'; readonly chain: number; readonly seats: readonly Seat[]; readonly graceMs: number }
  | { readonly kind: 'table'; readonly chain: number; readonly patch: TablePatch; readonly atMs: number }
  | { readonly kind: 'branch'; readonly chain: number; readonly branch: Branch }
  | { readonly kind: 'answered'; readonly chain: number; readonly index: number; readonly calls: number }
  /** A node took a transaction, from a call of any worker. */
  | { readonly kind: 'sent'; readonly chain: number; readonly hash: string; readonly index: number }
  /** The sender's last transaction, as was asked in that turn. */
  | { readonly kind: 'lastSend'; readonly chain: number; readonly turn: number; readonly send: SharedSend | null }
  /** A derived answer was compared with a node's own, by any process. */
  | { readonly kind: 'compared'; readonly chain: number; readonly compared: Compared }
  /** Stored answers are void. */
  | { readonly kind: 'flush'; readonly chain: number; readonly scope: FlushScope }
  | { readonly kind: 'chainId'; readonly chain: number; readonly chainId: number }
  /** Notices for the worker's subscribers, of a topic that it opened. */
  | { readonly kind: 'batch'; readonly chain: number; readonly batch: TopicBatch }
  | { readonly kind: 'lost'; readonly chain: number; readonly notice: LossNotice }
  /** What came of a call about a filter. */
  | { readonly kind: 'filterWord'; readonly chain: number; readonly turn: number; readonly word: FilterWord }
  /** Meets new connections with another certificate. */
  | { readonly kind: 'renew'; readonly certificate: Certificate }
  | { readonly kind: 'drain'; readonly graceMs: number };

/** What came of the calls of one chain since the last report. */
export interface ChainReport {
  readonly chain: number;
  /** Five numbers an attempt: index of the node, class, blame, ms to hold off, ms it took. */
  readonly outcomes: Float64Array;
  /** Three numbers each: 0 = lacks a method, 1 = lacks old state; index of the node; method or block. */
  readonly learnt: Float64Array;
  /** Transactions that nodes took, by hash, and the index of the node. */
  readonly sent: readonly (readonly [hash: string, index: number])[];
  readonly compared: readonly Compared[];
  /** A call changed the chain past its rules: stored answers are void. */
  readonly flushed: boolean;
  /** Calls wait for a newer head. */
  readonly wanted: boolean;
}

/** Calls in flight at the nodes of one chain, by index. */
export interface ChainLoad {
  readonly chain: number;
  readonly inFlight: Int32Array;
}

/** What a worker uses of the machine. */
export interface Usage {
  /** Processor time since its start. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** What a worker tells and asks of transactions that were sent; see `SendDesk`. */
export type SendWord =
  | { readonly kind: 'sending'; readonly hash: string }
  | { readonly kind: 'sender'; readonly hash: string; readonly sender: string; readonly send: SharedSend | null }
  | { readonly kind: 'gone'; readonly sender: string; readonly hash: string }
  /** Answered by `lastSend`. */
  | { readonly kind: 'last'; readonly turn: number; readonly sender: string };

/** From a worker to the process that judges. Every message is a sign of life. */
export type FromWorker =
  | { readonly kind: 'hello' }
  | { readonly kind: 'ready'; readonly engine: 'uws' | 'node' }
  /** It cannot serve, and ends. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'applied'; readonly turn: number }
  /** Its first subscriber to a topic came, or the last one is gone. */
  | { readonly kind: 'topic'; readonly chain: number; readonly topic: Topic; readonly isOpen: boolean }
  /** A call about a filter; answered by `filterWord`. */
  | { readonly kind: 'filter'; readonly chain: number; readonly turn: number; readonly ask: FilterAsk }
  | { readonly kind: 'sends'; readonly chain: number; readonly word: SendWord }
  | { readonly kind: 'outcomes'; readonly chains: readonly ChainReport[] }
  | { readonly kind: 'report'; readonly counts: readonly Counts[]; readonly loads: readonly ChainLoad[]; readonly usage: Usage };
