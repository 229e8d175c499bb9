import type { Random } from '../../src/base/random.ts';
import type { BlockMark, Head } from '../../src/chain/head.ts';
import type { Outcome } from '../../src/chain/outcome.ts';
import type { ProbeResult } from '../../src/health/probe.ts';
import { headAt, markAt } from '../help/heads.ts';

/** What can be wrong with a node for a while. */
export const TROUBLES = ['dead', 'hang', 'slow', 'errors', 'halfBody', 'wrongId', 'throttle', 'lag', 'stall', 'lie', 'early', 'fork', 'wrongChain'] as const;
export type Trouble = (typeof TROUBLES)[number];

/** Troubles in which a node tells another head than it should. */
export const HEAD_TROUBLES: ReadonlySet<Trouble> = new Set(['lag', 'stall', 'lie', 'early', 'fork', 'wrongChain']);

const UNREACHABLE: ReadonlySet<Trouble> = new Set(['dead', 'hang', 'slow', 'wrongChain']);

export interface Span {
  readonly kind: Trouble;
  readonly fromMs: number;
  readonly toMs: number;
}

/** How a call that was sent to a node ends, and when; `atMs` infinite = never. */
export interface Fate {
  readonly atMs: number;
  readonly outcome: Outcome;
  readonly isNull: boolean;
}

const outcome = (kind: Outcome['class'], extra: Partial<Outcome> = {}): Outcome => ({ class: kind, retry: 'other', blame: true, unsent: false, holdMs: 0, ...extra });
const RESULT = outcome('result', { retry: 'final', blame: false });
const REFUSED = outcome('transport', { unsent: true });
const RESET = outcome('transport');

/** The chain as it really is. */
export interface SimChain {
  readonly blockMs: number;
}

export const tipAt = (chain: SimChain, nowMs: number): number => 1000 + Math.floor(Math.max(0, nowMs) / chain.blockMs);

/** One node with its troubles laid out in advance. */
export class SimNode {
  readonly index: number;
  readonly tier: number;
  readonly spans: readonly Span[];
  readonly #chain: SimChain;
  readonly #random: Random;
  readonly #baseMs: number;
  readonly #delayMs: number;

  constructor(index: number, setup: { readonly chain: SimChain; readonly random: Random; readonly spans: readonly Span[]; readonly tier: number }) {
    this.index = index;
    this.tier = setup.tier;
    this.spans = setup.spans;
    this.#chain = setup.chain;
    this.#random = setup.random;
    this.#baseMs = 1 + 15 * setup.random();
    this.#delayMs = Math.min(400, setup.chain.blockMs / 3) * setup.random();
  }

  has(kind: Trouble, nowMs: number): Span | undefined {
    return this.spans.find((span) => span.kind === kind && span.fromMs <= nowMs && nowMs < span.toMs);
  }

  /** Answers probes in time, on the right chain, for all of `fromMs..toMs`. */
  reachable(fromMs: number, toMs: number): boolean {
    return !this.spans.some((span) => UNREACHABLE.has(span.kind) && span.fromMs < toMs && fromMs < span.toMs);
  }

  /** Nothing at all is wrong with it from `fromMs` to `toMs`. */
  sound(fromMs: number, toMs: number): boolean {
    return !this.spans.some((span) => span.fromMs < toMs && fromMs < span.toMs);
  }

  branch(nowMs: number): { readonly name: string; readonly since: number } {
    const fork = this.has('fork', nowMs);
    if (fork !== undefined) return { name: `f${this.index}-`, since: tipAt(this.#chain, fork.fromMs) - 1 };
    // Blocks that nobody else has yet, made up anew all the time.
    if (this.has('early', nowMs)) return { name: `e${this.index}-`, since: tipAt(this.#chain, nowMs) };
    return this.has('wrongChain', nowMs) ? { name: `w${this.index}-`, since: 0 } : { name: 'main', since: 0 };
  }

  head(nowMs: number): Head {
    const { name, since } = this.branch(nowMs);
    const stall = this.has('stall', nowMs);
    let number = tipAt(this.#chain, (stall?.fromMs ?? nowMs) - this.#delayMs);
    if (this.has('lag', nowMs)) number -= 15;
    if (this.has('lie', nowMs)) number += 1_000_000;
    if (this.has('early', nowMs)) number += 2;
    return headAt(Math.max(1, number), name, since, this.#chain.blockMs / 1000);
  }

  mark(number: number, nowMs: number): BlockMark {
    const { name, since } = this.branch(nowMs);
    return markAt(number, name, since);
  }

  /** What the probe sent at `nowMs` comes to, and when. */
  probe(numbers: readonly number[], nowMs: number, timeoutMs: number): { readonly atMs: number; readonly result: ProbeResult } {
    if (this.has('dead', nowMs)) return { atMs: nowMs + 1, result: { kind: 'refused', detail: 'refused' } };
    const tookMs = this.#tookMs(nowMs);
    if (this.has('hang', nowMs) || tookMs > timeoutMs) return { atMs: nowMs + timeoutMs, result: { kind: 'timeout', detail: 'timeout' } };
    const head = this.head(nowMs);
    const marks = numbers.filter((number) => number <= head.number).map((number) => this.mark(number, nowMs));
    const chainId = this.has('wrongChain', nowMs) ? 2 : 1;
    return { atMs: nowMs + tookMs, result: { kind: 'ok', head, marks, syncing: false, peers: 1, chainId, clientVersion: 'sim', latencyMs: tookMs } };
  }

  /** What becomes of a call sent at `nowMs`. */
  serve(nowMs: number): Fate {
    if (this.has('dead', nowMs)) return { atMs: nowMs + 1, outcome: REFUSED, isNull: false };
    const hang = this.has('hang', nowMs);
    const atMs = hang === undefined ? nowMs + this.#tookMs(nowMs) : hang.toMs + 1;
    const death = this.spans.find((span) => span.kind === 'dead' && span.fromMs >= nowMs && span.fromMs < atMs);
    if (death !== undefined) return { atMs: death.fromMs, outcome: RESET, isNull: false };
    return { atMs, outcome: this.#answer(nowMs), isNull: this.#random() < 0.05 };
  }

  #answer(nowMs: number): Outcome {
    const often = this.#random() < 0.8;
    if (this.has('throttle', nowMs)) return outcome('throttled', { blame: false, holdMs: this.#random() < 0.5 ? 3000 : 0 });
    if (often && this.has('errors', nowMs)) return outcome(this.#random() < 0.5 ? 'http' : 'node');
    if (often && this.has('halfBody', nowMs)) return outcome('badJson');
    if (often && this.has('wrongId', nowMs)) return outcome('wrongId');
    return RESULT;
  }

  #tookMs(nowMs: number): number {
    const usualMs = this.#baseMs * (0.5 + this.#random());
    return this.has('slow', nowMs) === undefined ? usualMs : usualMs * 20 + 3000 * this.#random() ** 3;
  }
}
