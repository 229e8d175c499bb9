import type { ProofLine } from '../cache/derive/proofs.ts';
import type { UpstreamReport } from '../health/report.ts';
import type { BudgetFacts } from '../route/budgetBook.ts';
import type { LocalChain } from './localChain.ts';
import type { GatewayState } from './state.ts';

/** Readiness of the process, with the reasons when it is not, or only just. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** Ready when every chain can serve and the process is not draining. Panic is told, but still ready. */
export function readinessOf(state: GatewayState): Readiness {
  const reasons: string[] = [];
  if (state.draining) reasons.push('draining');
  const manned = state.crew === null || state.crew.serving;
  if (!manned) reasons.push('no worker process serves');
  let ready = !state.draining && manned;
  for (const { watch: chain } of state.chains) {
    if (!chain.ready) {
      ready = false;
      reasons.push(chain.chainId === null ? `${chain.name}: no node has told its chain id yet` : `${chain.name}: no upstream can serve`);
    } else if (chain.table.panic) {
      reasons.push(`${chain.name}: panic, judgements are suspended`);
    }
  }
  return { ready, reasons };
}

/** One upstream in `/api/v1/upstreams`. */
export interface UpstreamStatus extends Omit<UpstreamReport, 'index' | 'sinceMs' | 'heldUntilMs'> {
  readonly inFlight: number;
  /** ISO time since when the state holds. */
  readonly since: string;
  /** Ms that the node asked not to be called for. */
  readonly heldForMs: number;
  /** Calls and weight per second that it gets now, 0 = not limited, and how often that kept a call away. */
  readonly budget: BudgetFacts;
}

/** One chain in `/api/v1/upstreams`. */
export interface ChainStatus {
  readonly chain: string;
  readonly chainId: number | null;
  readonly head: { readonly number: number; readonly hash: string } | null;
  readonly finalized: number | null;
  readonly blockTimeMs: number;
  readonly panic: boolean;
  /** The last reorg below a block that was called final, and how many there were since the start; null = none. */
  readonly finalityBroken: { readonly times: number; readonly fromNumber: number; readonly depth: number; readonly at: string } | null;
  /** For which clients answers are derived from other answers, as samples have shown. */
  readonly derived: readonly ProofLine[];
  readonly upstreams: readonly UpstreamStatus[];
}

/** @param wallMs Unix time of `nowMs` */
export function chainStatus(chain: LocalChain, nowMs: number, wallMs: number): ChainStatus {
  const { watch, serving } = chain;
  const { table, finality: { broken } } = watch;
  return {
    chain: watch.name,
    chainId: watch.chainId,
    head: table.trustedNumber < 0 ? null : { number: table.trustedNumber, hash: table.trustedHash },
    finalized: table.finalizedNumber < 0 ? null : table.finalizedNumber,
    blockTimeMs: Math.round(watch.judge.heads.blockTimeMs),
    panic: table.panic,
    finalityBroken: broken === null ? null : { times: broken.times, fromNumber: broken.fromNumber, depth: broken.depth, at: new Date(wallMs - (nowMs - broken.atMs)).toISOString() },
    derived: watch.proofs.lines(),
    upstreams: watch.reports(nowMs).map(({ index, sinceMs, heldUntilMs, ...report }) => ({
      ...report,
      inFlight: serving.book.inFlight(index),
      since: new Date(wallMs - (nowMs - sinceMs)).toISOString(),
      heldForMs: Math.max(0, Math.round(heldUntilMs - nowMs)),
      budget: chain.budgetOf(index, nowMs),
    })),
  };
}
