import { Fault } from '../../base/fault.ts';
import type { LogPiece, LogWork } from '../../chain/logs/work.ts';
import type { CallAnswer } from '../callFacts.ts';
import type { ChainRuntime } from '../chain.ts';
import type { ServeContext } from '../context.ts';
import type { Vantage } from '../vantage.ts';
import { PieceCall } from './pieceCall.ts';
import type { PieceResult } from './pieceCall.ts';

/** Why a query cannot be answered: a fault of ours, or what a node said. */
export type LogsFailure = Fault | CallAnswer;

/** How often a piece that failed for no lasting reason is tried again, and the first wait before it. */
const MAX_TRIES = 5;
const REST_MS = 100;
/** Outcomes that another moment may change. */
const PASSING: ReadonlySet<string> = new Set(['noUpstream', 'overBudget', 'notAtHead', 'deadline', 'badAnswer']);

/** Has the pieces of a query asked for, several at once, until all are there or one cannot be had. */
export class LogsPump {
  private readonly server: ServeContext;
  private readonly chain: ChainRuntime;
  private readonly work: LogWork;
  private readonly vantage: Vantage;
  private readonly open = new Set<PieceCall>();
  private readonly tries = new Map<LogPiece, number>();
  private underWay = 0;
  private calls = 0;
  private failure: LogsFailure | null = null;
  private over = false;
  private done: (failure: LogsFailure | null) => void = () => undefined;

  constructor(server: ServeContext, chain: ChainRuntime, work: LogWork, vantage: Vantage) {
    this.server = server;
    this.chain = chain;
    this.work = work;
    this.vantage = vantage;
  }

  /** Null = all is there. */
  run(): Promise<LogsFailure | null> {
    return new Promise((resolve) => {
      this.done = resolve;
      this.fill();
    });
  }

  /** Nobody wants it any more. */
  abandon(): void {
    this.over = true;
    for (const call of this.open) call.abandon();
    this.open.clear();
  }

  private fill(): void {
    const { maxQueryConcurrency, maxRangeBlocks } = this.chain.config.logs;
    while (!this.over && this.failure === null && this.underWay < maxQueryConcurrency) {
      const piece = this.work.next(Math.min(maxRangeBlocks, this.chain.logs.maxBlocks(this.server.parts.world.clock.nowMs())));
      if (piece === null) break;
      void this.ask(piece);
    }
    if (this.underWay > 0 || this.over) return;
    this.over = true;
    this.done(this.failure);
  }

  private async ask(piece: LogPiece): Promise<void> {
    const { slots } = this.chain.logs;
    this.underWay++;
    const restMs = REST_MS * 2 ** (this.tries.get(piece) ?? 0);
    if (this.tries.has(piece)) await this.rest(restMs);
    await slots.take();
    if (!this.over && this.failure === null) await this.call(piece);
    slots.give();
    this.underWay--;
    this.fill();
  }

  private async call(piece: LogPiece): Promise<void> {
    if (++this.calls > this.chain.config.logs.maxCalls) {
      this.failure = new Fault('rangeTooLarge', `it takes over ${this.chain.config.logs.maxCalls} calls`);
      return;
    }
    const call = new PieceCall(this.server, this.chain, piece, this.vantage);
    this.open.add(call);
    const result = await call.run();
    this.open.delete(call);
    if (!this.over) this.take(piece, result);
  }

  private take(piece: LogPiece, result: PieceResult): void {
    const { maxAnswerBytes } = this.chain.config.logs;
    if (result.kind === 'page') {
      this.work.onPage(piece, result.page, result.sizeBytes);
      if (this.work.sizeBytes > maxAnswerBytes) this.failure ??= new Fault('logsTooLarge', `over ${maxAnswerBytes} bytes`);
    } else if (result.kind === 'tooLarge') {
      if (!this.work.onTooLarge(piece, result.byItems)) this.failure ??= result.answer;
    } else if (result.answer !== null) this.onFailed(piece, result.answer);
  }

  private onFailed(piece: LogPiece, answer: CallAnswer): void {
    const tries = (this.tries.get(piece) ?? 0) + 1;
    if (!PASSING.has(answer.outcome) || tries >= MAX_TRIES) {
      this.failure ??= answer;
      return;
    }
    this.tries.set(piece, tries);
    this.work.onFailed(piece);
  }

  private rest(ms: number): Promise<void> {
    return new Promise((resolve) => void this.server.parts.world.timers.after(ms, resolve));
  }
}
