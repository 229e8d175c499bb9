import { filterMembers } from '../../chain/logs/filter.ts';
import { readRangeHint } from '../../chain/logs/limitText.ts';
import { readPage } from '../../chain/logs/page.ts';
import type { LogPage } from '../../chain/logs/page.ts';
import type { LogPiece } from '../../chain/logs/work.ts';
import type { Outcome } from '../../chain/outcome.ts';
import type { AttemptSink, NodeAnswer } from '../attemptSink.ts';
import type { ChainRuntime } from '../chain.ts';
import type { CallAnswer } from '../callFacts.ts';
import type { ServeContext } from '../context.ts';
import { InnerCall } from '../inner.ts';
import type { Inner } from '../innerPort.ts';
import type { Vantage } from '../vantage.ts';

/** What a piece of a query came to. `failed` with null: it was given up. */
export type PieceResult =
  | { readonly kind: 'page'; readonly page: LogPage; readonly sizeBytes: number }
  /** No node answers so much at once; `byItems`: for its addresses and topics, not its blocks. */
  | { readonly kind: 'tooLarge'; readonly byItems: boolean; readonly answer: CallAnswer }
  | { readonly kind: 'failed'; readonly answer: CallAnswer | null };

const hex = (number: number): string => `"0x${number.toString(16)}"`;

/** One piece of a log query at the nodes that take it; learns from those that do not. */
export class PieceCall implements Inner {
  private readonly chain: ChainRuntime;
  private readonly piece: LogPiece;
  private readonly blocks: number;
  private readonly call: InnerCall;
  private readonly nowMs: () => number;
  private page: LogPage | null = null;
  private sizeBytes = 0;
  private isRefused = false;
  private byItems = false;

  constructor(server: ServeContext, chain: ChainRuntime, piece: LogPiece, vantage: Vantage) {
    this.chain = chain;
    this.piece = piece;
    this.blocks = piece.to - piece.from + 1;
    this.nowMs = () => server.parts.world.clock.nowMs();
    const members = filterMembers(piece.filter);
    const paramsRaw = `[{"fromBlock":${hex(piece.from)},"toBlock":${hex(piece.to)}${members === '' ? '' : `,${members}`}}]`;
    this.call = new InnerCall(server, chain, { method: 'eth_getLogs', paramsRaw, vantage }, this);
  }

  async run(): Promise<PieceResult> {
    this.chain.metrics.logs.calls.add('piece');
    const answer = await this.call.run();
    if (answer?.outcome === 'result' && this.page !== null) return { kind: 'page', page: this.page, sizeBytes: this.sizeBytes };
    if (answer === null || !this.isRefused) return { kind: 'failed', answer };
    return { kind: 'tooLarge', byItems: this.byItems, answer };
  }

  abandon(): void {
    this.call.abandon();
  }

  /** Nodes that are known to take fewer blocks, or to lack blocks this old, come last. */
  order(candidates: Int32Array, count: number): void {
    const { limits } = this.chain.logs;
    const nowMs = this.nowMs();
    const chosen = candidates.subarray(0, count);
    const takes = [...chosen].filter((node) => limits.of(node, nowMs) >= this.blocks && limits.has(node, this.piece.from, nowMs));
    if (takes.length === count) return;
    chosen.set([...takes, ...[...chosen].filter((node) => !takes.includes(node))]);
  }

  accepts(sink: AttemptSink, { body, split }: NodeAnswer): boolean {
    const page = readPage(body, split.start, this.piece);
    if (page === null) {
      this.chain.metrics.logs.doubts.add();
      return false;
    }
    this.page = page;
    this.sizeBytes = split.end - split.start;
    this.chain.logs.limits.onServed(sink.upstreamIndex, this.blocks, this.nowMs());
    return true;
  }

  onOutcome(sink: AttemptSink, outcome: Outcome): void {
    const { limits } = this.chain.logs;
    if (outcome.class === 'throttled') limits.onThrottled(sink.upstreamIndex, this.blocks, this.nowMs());
    const split = sink.answer?.split;
    if (outcome.class === 'missingData' && split?.kind === 'error') limits.onMissing(sink.upstreamIndex, this.piece.from, this.nowMs());
    if (outcome.class !== 'tooLarge') return;
    const message = split?.kind === 'error' ? split.message : '';
    this.isRefused = true;
    this.byItems ||= readRangeHint(message).items;
    this.chain.metrics.logs.refused.add();
    limits.onRefused(sink.upstreamIndex, this.blocks, message, this.nowMs());
  }
}
