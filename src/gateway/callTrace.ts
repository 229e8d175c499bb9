import type { MethodSpec } from '../chain/method.ts';
import type { OutcomeClass } from '../chain/outcome.ts';
import { explainRank } from '../route/explain.ts';
import type { Explained } from '../route/explain.ts';
import type { AttemptSink } from './attemptSink.ts';
import type { CallAnswer } from './callFacts.ts';
import type { ChainRuntime } from './chain.ts';

/** Header that asks for the path of a call, with the value 1, and the one that tells it. */
export const EXPLAIN_HEADER = 'x-tidegate-explain';

/** Longest value of the header. */
const MAX_CHARS = 2048;

interface TracedNode {
  readonly name: string;
  readonly weight: number;
  /** What speaks against it, or was put up with. */
  readonly why?: readonly string[];
}

interface TracedAttempt {
  readonly name: string;
  /** Ms from the start of the call. */
  readonly atMs: number;
  readonly ms: number;
  readonly outcome: OutcomeClass;
  readonly hedge?: true;
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

const shown = ({ name, weight, exclusions }: Explained): TracedNode => ({ name, weight: rounded(weight), ...(exclusions.length === 0 ? {} : { why: exclusions }) });

/** The way that one live call took, for whoever asked to be told. Made only then. */
export class CallTrace {
  private readonly startedMs: number;
  private routedMs = 0;
  private candidates: TracedNode[] = [];
  private excluded: TracedNode[] = [];
  private readonly attempts: TracedAttempt[] = [];

  constructor(startedMs: number) {
    this.startedMs = startedMs;
  }

  /** The nodes were ranked for the call: `chain.ask` is what it asks. */
  onRanked(chain: ChainRuntime, spec: MethodSpec, nowMs: number): void {
    const ranked = explainRank(chain.table, spec, chain.ask, { book: chain.book, boundedLoad: chain.config.routing.boundedLoad });
    const known = ranked.filter(({ index }) => chain.node(index) !== undefined);
    this.candidates = known.filter(({ position }) => position >= 0).map(shown);
    this.excluded = known.filter(({ position }) => position < 0).map(shown);
    this.routedMs = rounded(nowMs - this.startedMs);
  }

  onAttempt(name: string, { sentMs, isHedge }: AttemptSink, outcome: OutcomeClass, tookMs: number): void {
    this.attempts.push({ name, atMs: rounded(sentMs - this.startedMs), ms: rounded(tookMs), outcome, ...(isHedge ? { hedge: true } : {}) });
  }

  /** JSON in printable ASCII, at most 2 KiB; `cut` = nodes were left out of it. */
  text({ outcome, upstream }: CallAnswer, nowMs: number): string {
    const { attempts, routedMs } = this;
    const head = { outcome, ...(upstream === '' ? {} : { upstream }), ms: rounded(nowMs - this.startedMs), routedMs };
    let [candidates, excluded] = [this.candidates, this.excluded];
    let told = JSON.stringify({ ...head, attempts, candidates, excluded });
    while (told.length > MAX_CHARS && candidates.length + excluded.length > 0) {
      if (excluded.length > 0) excluded = excluded.slice(0, -1);
      else candidates = candidates.slice(0, -1);
      told = JSON.stringify({ ...head, cut: true, attempts, candidates, excluded });
    }
    return told.length > MAX_CHARS ? JSON.stringify({ ...head, cut: true, attempts: attempts.slice(-8) }) : told;
  }
}
