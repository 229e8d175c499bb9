import type { Outcome } from '../chain/outcome.ts';
import { NO_ID } from '../rpc/reply.ts';
import type { AttemptSink, NodeAnswer } from './attemptSink.ts';
import type { CallView, Worth } from './callView.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client } from './context.ts';

/** An answer of a block that is not on the trusted branch: held against nobody, another node may know better. */
const OFF_BRANCH: Outcome = Object.freeze({ class: 'missingData', retry: 'other', blame: false, unsent: false, holdMs: 0 });

/** In place of a block of another branch. */
const ABSENT: NodeAnswer = { body: Buffer.from('null'), split: { kind: 'result', id: NO_ID, start: 0, end: 4 }, isNull: true };

/** The call whose answers are checked. */
export interface Checkable {
  readonly chain: ChainRuntime;
  readonly client: Client;
  readonly live: boolean;
  /** The chain as the call sees it now; null before it is routed. */
  readonly view: CallView | null;
  /** Takes the answer of an attempt for one. */
  settle(attempt: number, outcome: Outcome, answer: NodeAnswer): void;
  /** Takes an attempt for failed. */
  fail(attempt: number, outcome: Outcome): void;
}

/** Takes the answers to one call for what they are worth on the trusted branch. */
export class AnswerCheck {
  /** Answers that were of another branch. */
  offBranch = 0;
  private readonly run: Checkable;

  constructor(run: Checkable) {
    this.run = run;
  }

  /** @param waited the trusted head had its time to reach the answer's block */
  take(sink: AttemptSink, outcome: Outcome, answer: NodeAnswer, waited = false): void {
    const { chain, view } = this.run;
    chain.view.refresh();
    if (outcome.class === 'result' && this.run.client.inner?.accepts(sink, answer) === false) return this.run.fail(sink.attempt, OFF_BRANCH);
    const worth = view === null ? 'good' : this.worthOf(view, outcome, answer);
    if (worth === 'good') return this.run.settle(sink.attempt, outcome, answer);
    if (worth === 'ahead' && !waited) return this.await(sink, outcome, answer);
    this.offBranch++;
    chain.metrics.view.onEvent('off_branch');
    if (worth === 'off' && outcome.class === 'result' && view?.isAbsentOff === true) return this.run.settle(sink.attempt, outcome, ABSENT);
    // what is null here, or not trusted yet, is an answer where nobody has a better one
    if (worth === 'ahead' || answer.isNull) this.run.settle(sink.attempt, OFF_BRANCH, answer);
    else this.run.fail(sink.attempt, OFF_BRANCH);
  }

  private worthOf(view: CallView, outcome: Outcome, answer: NodeAnswer): Worth {
    if (outcome.class === 'result') return view.worth(answer);
    return outcome.class === 'missingData' && view.mustBeThere ? 'off' : 'good';
  }

  private await(sink: AttemptSink, outcome: Outcome, answer: NodeAnswer): void {
    const { chain } = this.run;
    const isSettled = (): boolean => this.run.view?.worth(answer) !== 'ahead';
    chain.tip.wait(isSettled, chain.config.view.maxWaitMs, () => {
      if (this.run.live) this.take(sink, outcome, answer, true);
    });
  }
}
