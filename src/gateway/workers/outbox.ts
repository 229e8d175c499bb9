import type { Compared } from '../../cache/derive/proofs.ts';
import type { Outcome } from '../../chain/outcome.ts';
import { LABELS } from '../../observe/metricTable.ts';
import type { Judging } from '../judging.ts';
import { LEARNT_NUMBERS, OUTCOME_NUMBERS } from './intake.ts';
import type { ChainReport } from './protocol.ts';

const FIRST_OUTCOMES = 256;
/** Outcomes kept while the other side takes none; more are not judged (they are counted all the same). */
const MAX_OUTCOMES = 16_384;
const MAX_LEARNT = 1024;
const MAX_SENT = 4096;
const MAX_COMPARED = 1024;

/** Gathers what came of the calls of one chain until the next report: flat numbers, nothing allocated per call. */
export class Outbox implements Judging {
  private readonly chain: number;
  private readonly hurry: () => void;
  private outcomes = new Float64Array(FIRST_OUTCOMES * OUTCOME_NUMBERS);
  private filled = 0;
  private learnt: number[] = [];
  private sent: (readonly [string, number])[] = [];
  private compared: Compared[] = [];
  private wanted = false;
  private flushed = false;

  /** @param hurry asks for a report as soon as may be: a node may be down, or there is much to tell */
  constructor(chain: number, hurry: () => void) {
    this.chain = chain;
    this.hurry = hurry;
  }

  onOutcome(index: number, outcome: Outcome, latencyMs: number): void {
    const at = this.filled;
    if (at === this.outcomes.length && !this.grow()) return;
    const { outcomes } = this;
    outcomes[at] = index;
    outcomes[at + 1] = LABELS.upstreamOutcomes.indexOf.get(outcome.class) ?? -1;
    outcomes[at + 2] = outcome.blame ? 1 : 0;
    outcomes[at + 3] = outcome.holdMs;
    outcomes[at + 4] = latencyMs;
    this.filled = at + OUTCOME_NUMBERS;
    if (outcome.class === 'transport' || outcome.class === 'timeout' || outcome.class === 'throttled' || this.filled * 2 === outcomes.length) this.hurry();
  }

  onUnsupported(index: number, methodIndex: number): void {
    this.learn(0, index, methodIndex);
  }

  onPruned(index: number, block: number): void {
    this.learn(1, index, block);
  }

  onWanted(): void {
    this.wanted = true;
    this.hurry();
  }

  onFlush(): void {
    this.flushed = true;
    this.hurry();
  }

  onCompared(compared: Compared): void {
    if (this.compared.length < MAX_COMPARED) this.compared.push(compared);
    this.hurry();
  }

  onSent(hash: string, index: number): void {
    if (this.sent.length < MAX_SENT) this.sent.push([hash, index]);
    this.hurry();
  }

  /** What has gathered, and starts anew; null = nothing. */
  take(): ChainReport | null {
    const { chain, filled, learnt, sent, compared, flushed, wanted } = this;
    if (filled === 0 && learnt.length === 0 && sent.length === 0 && compared.length === 0 && !flushed && !wanted) return null;
    this.filled = 0;
    this.learnt = [];
    this.sent = [];
    this.compared = [];
    this.wanted = false;
    this.flushed = false;
    return { chain, outcomes: this.outcomes.slice(0, filled), learnt: Float64Array.from(learnt), sent, compared, flushed, wanted };
  }

  private learn(kind: number, index: number, what: number): void {
    if (this.learnt.length < MAX_LEARNT * LEARNT_NUMBERS) this.learnt.push(kind, index, what);
  }

  private grow(): boolean {
    const length = Math.min(this.outcomes.length * 2, MAX_OUTCOMES * OUTCOME_NUMBERS);
    if (length === this.outcomes.length) return false;
    const wider = new Float64Array(length);
    wider.set(this.outcomes);
    this.outcomes = wider;
    return true;
  }
}
