import type { TimerHandle } from '../base/clock.ts';
import type { BlockHeader } from './header.ts';
import type { BlockLog, LogsAnswer } from './logs.ts';

export type WantKind = 'header' | 'logs';

/** A question for a node about one block. */
export interface Asked {
  /** `receipts` settle what `logs` left in doubt. */
  readonly kind: WantKind | 'receipts';
  readonly hash: string;
  readonly number: number;
}

/** Logs that one node told, in doubt. */
export interface Doubt {
  readonly answer: LogsAnswer;
  readonly node: number;
  readonly isReceipts: boolean;
}

/** A question that goes from node to node until its answer is right. */
export class Want {
  readonly key: string;
  readonly kind: WantKind;
  readonly hash: string;
  readonly number: number;
  /** The block whose logs are wanted. */
  readonly header: BlockHeader | null;
  timer: TimerHandle | null = null;
  /** Rounds in which every node was asked in vain. */
  rounds = 0;
  /** Somebody asked since the last rest. */
  wanted = true;
  /** Since when logs are in doubt; -1 = they are not. */
  doubtSinceMs = -1;
  readonly startedMs: number;
  /** A node failed or was silent while it had the question. */
  failedOver = false;
  /** A header that could not be proven, taken where none can be. */
  fallback: BlockHeader | null = null;
  readonly #pending = new Map<number, { readonly node: number; readonly asked: Asked }>();
  readonly #tried = new Set<string>();
  readonly #doubts: Doubt[] = [];

  constructor(kind: WantKind, block: Pick<Asked, 'hash' | 'number'>, header: BlockHeader | null, nowMs: number) {
    this.startedMs = nowMs;
    this.key = `${kind}:${block.hash}`;
    this.kind = kind;
    this.hash = block.hash;
    this.number = block.number;
    this.header = header;
  }

  /** Questions that are not answered yet. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Whom to ask next, and what; null when each was asked in this round. */
  choose(nodes: readonly number[]): { readonly node: number; readonly asked: Asked } | null {
    for (const kind of this.kind === 'logs' ? (['logs', 'receipts'] as const) : (['header'] as const)) {
      const node = nodes.find((index) => !this.#tried.has(`${kind}:${index}`));
      if (node !== undefined) return { node, asked: { kind, hash: this.hash, number: this.number } };
    }
    return null;
  }

  begin(token: number, choice: { readonly node: number; readonly asked: Asked }): void {
    this.#tried.add(`${choice.asked.kind}:${choice.node}`);
    this.#pending.set(token, choice);
  }

  /** A question came to its end: whom it was put to; null when it is not one of these. */
  over(token: number): { readonly node: number; readonly asked: Asked } | null {
    const choice = this.#pending.get(token) ?? null;
    this.#pending.delete(token);
    return choice;
  }

  /** A new round may ask everyone who has not yet to answer. */
  rest(): void {
    this.rounds++;
    this.#tried.clear();
    for (const { node, asked } of this.#pending.values()) this.#tried.add(`${asked.kind}:${node}`);
  }

  /** Notes logs in doubt. True when another word agrees with them, one of the two that of receipts, and nothing of the bloom is missing. */
  doubt(doubt: Doubt): boolean {
    const at = this.#doubts.findIndex((old) => old.node === doubt.node && old.isReceipts === doubt.isReceipts);
    if (at >= 0) this.#doubts.splice(at, 1);
    const { signature } = doubt.answer;
    const backed = this.#doubts.some((old) => (old.isReceipts || doubt.isReceipts) && old.answer.signature === signature);
    this.#doubts.push(doubt);
    return backed && doubt.answer.fit === 'over';
  }

  /** The longest list of logs that was told; null when there was none. */
  fullest(): readonly BlockLog[] | null {
    let best: readonly BlockLog[] | null = null;
    for (const { answer } of this.#doubts) if (best === null || answer.logs.length > best.length) best = answer.logs;
    return best;
  }
}
