import type { Outcome, OutcomeClass } from '../../chain/outcome.ts';
import { LABELS } from '../../observe/metricTable.ts';
import type { GatewayMetrics } from '../../observe/metrics.ts';
import { TallyTaker } from '../../observe/tally.ts';
import type { FilterWord } from '../filters/desk.ts';
import type { LocalChain } from '../localChain.ts';
import type { SendDesk, SharedSend } from '../sharedSends.ts';
import { FeedDesk } from './feedRelay.ts';
import type { ChainLoad, ChainReport, FromWorker, ToWorker } from './protocol.ts';

/** Numbers of an attempt in `ChainReport.outcomes`, and of a finding in `learnt`. */
export const OUTCOME_NUMBERS = 5;
export const LEARNT_NUMBERS = 3;

type SendSide = SendDesk & { leave(): void };

/** What all intakes of the process feed. */
export interface IntakeParts {
  readonly metrics: GatewayMetrics;
  /** The chain that a worker names; undefined once it was removed. */
  chain(id: number): LocalChain | undefined;
  nowMs(): number;
}

/** Takes in what one worker process tells: to the judges as if the calls had been made here, counts into the sums. */
export class Intake {
  private readonly parts: IntakeParts;
  private readonly taker = new TallyTaker();
  private readonly loads = new Map<number, Int32Array>();
  private readonly sends = new Map<number, SendSide>();

  private readonly desk: FeedDesk;
  private readonly send: (message: ToWorker) => void;

  /** @param send to the worker */
  constructor(parts: IntakeParts, send: (message: ToWorker) => void) {
    this.parts = parts;
    this.send = send;
    this.desk = new FeedDesk((chain, side) => parts.chain(chain)?.watch.follow.join(side) ?? null, send);
  }

  /** What its subscribers want. */
  onTopic(message: Extract<FromWorker, { kind: 'topic' }>): void {
    this.desk.onTopic(message);
  }

  /** A call of one of its clients about a filter. */
  onFilter({ chain, turn, ask }: Extract<FromWorker, { kind: 'filter' }>): void {
    const tell = (word: FilterWord): void => this.send({ kind: 'filterWord', chain, turn, word });
    const filters = this.parts.chain(chain)?.filters;
    if (filters === undefined) tell({ kind: 'fault', fault: 'draining', detail: '' });
    else filters.ask(ask, tell);
  }

  /** What it tells and asks of transactions that were sent. */
  onSends({ chain, word }: Extract<FromWorker, { kind: 'sends' }>): void {
    const desk = this.sendsOf(chain);
    if (word.kind === 'sending') desk?.onSending(word.hash);
    else if (word.kind === 'sender') desk?.onSender(word.hash, word.sender, word.send);
    else if (word.kind === 'gone') desk?.onGone(word.sender, word.hash);
    else {
      const tell = (send: SharedSend | null): void => this.send({ kind: 'lastSend', chain, turn: word.turn, send });
      if (desk === undefined) tell(null);
      else desk.lastOf(word.sender, tell);
    }
  }

  /** What its attempts came to. */
  onOutcomes(chains: readonly ChainReport[]): void {
    const nowMs = this.parts.nowMs();
    for (const report of chains) {
      const watch = this.parts.chain(report.chain)?.watch;
      if (watch === undefined) continue;
      const { outcomes, learnt } = report;
      for (let at = 0; at + OUTCOME_NUMBERS <= outcomes.length; at += OUTCOME_NUMBERS) {
        watch.onOutcome(outcomes[at] as number, outcomeAt(outcomes, at), outcomes[at + 4] as number, nowMs);
      }
      for (let at = 0; at + LEARNT_NUMBERS <= learnt.length; at += LEARNT_NUMBERS) {
        const [kind, index, what] = learnt.subarray(at, at + LEARNT_NUMBERS) as unknown as readonly [number, number, number];
        if (kind === 0) watch.onUnsupported(index, what, nowMs);
        else watch.onPruned(index, what, nowMs);
      }
      for (const [hash, index] of report.sent) watch.onSent(hash, index);
      for (const compared of report.compared) watch.onCompared(compared);
      if (report.flushed) watch.onFlush({});
      if (report.wanted) watch.onWanted();
    }
  }

  onReport({ counts, loads }: Extract<FromWorker, { kind: 'report' }>): void {
    this.taker.take(this.parts.metrics.scopes(), counts);
    for (const load of loads) this.setLoad(load);
  }

  /** The worker is gone: what it counted stays counted, what it had under way is over. */
  close(): void {
    this.desk.close();
    for (const desk of this.sends.values()) desk.leave();
    this.sends.clear();
    this.taker.retract();
    for (const [chain, inFlight] of this.loads) this.setLoad({ chain, inFlight: new Int32Array(inFlight.length) });
    this.loads.clear();
  }

  private sendsOf(chain: number): SendSide | undefined {
    const known = this.sends.get(chain) ?? this.parts.chain(chain)?.sends.join();
    if (known !== undefined) this.sends.set(chain, known);
    return known;
  }

  private setLoad({ chain, inFlight }: ChainLoad): void {
    const before = this.loads.get(chain);
    this.loads.set(chain, inFlight);
    const book = this.parts.chain(chain)?.serving.book;
    for (const [index, count] of inFlight.entries()) book?.move(index, count - (before?.[index] ?? 0));
  }
}

function outcomeAt(outcomes: Float64Array, at: number): Outcome {
  const name: OutcomeClass = LABELS.upstreamOutcomes.names[outcomes[at + 1] as number] ?? 'cancelled';
  return { class: name, retry: 'final', blame: outcomes[at + 2] === 1, unsent: false, holdMs: outcomes[at + 3] as number };
}
