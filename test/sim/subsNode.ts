import type { Random } from '../../src/base/random.ts';
import type { Asked } from '../../src/subs/want.ts';
import { headOf } from './subsChain.ts';
import type { SimBlock, SimChain } from './subsChain.ts';
import type { VirtualWorld } from './world.ts';

/** What can be wrong with a node for a while. */
export type Ill = 'dead' | 'mute' | 'stuck' | 'emptyLogs' | 'someLogs' | 'wrongLogs' | 'badHeader' | 'noHeader' | 'errors';

export interface NodePlan {
  /** How long after the chain it takes a block in. */
  readonly lagMs: number;
  readonly latencyMs: number;
  /** How long its log index is behind its head. */
  readonly logsLagMs: number;
  readonly spans: readonly { readonly ill: Ill; readonly fromMs: number; readonly toMs: number }[];
}

export interface NodeTold {
  head(node: number, block: SimBlock): void;
  pushed(node: number, block: SimBlock): void;
}

/** One node that follows the chain in its own time and answers as its plan has it. */
export class SubsNode {
  readonly index: number;
  tip: SimBlock;
  readonly #plan: NodePlan;
  readonly #world: VirtualWorld;
  readonly #chain: SimChain;
  readonly #random: Random;
  readonly #told: NodeTold;
  readonly #tookAt = new Map<string, number>();

  constructor(index: number, plan: NodePlan, parts: { world: VirtualWorld; chain: SimChain; random: Random; told: NodeTold }) {
    this.index = index;
    this.#plan = plan;
    this.#world = parts.world;
    this.#chain = parts.chain;
    this.#random = parts.random;
    this.#told = parts.told;
    this.tip = parts.chain.tip;
  }

  is(ill: Ill): boolean {
    const { nowMs } = this.#world;
    return this.#plan.spans.some((span) => span.ill === ill && nowMs >= span.fromMs && nowMs < span.toMs);
  }

  /** The chain has a new tip. */
  onTip(block: SimBlock): void {
    this.#world.after(this.#plan.lagMs, () => this.#take(block));
  }

  /** Tells its head to whoever asks; nothing when it does not answer. */
  poll(): void {
    if (this.is('stuck') || this.is('dead')) return;
    if (this.#chain.tip.number > this.tip.number && this.#world.nowMs % 4 === 0) this.#take(this.#chain.tip);
    if (!this.is('mute')) this.#told.head(this.index, this.tip);
  }

  /** Answers a question, after its latency; null = error or cut, undefined = never. */
  ask(asked: Asked, done: (value: unknown, failed: boolean) => void): void {
    const { latencyMs } = this.#plan;
    if (this.is('mute')) {
      this.#world.after(5000, () => done(null, true));
      return;
    }
    if (this.is('dead')) {
      this.#world.after(1, () => done(null, true));
      return;
    }
    this.#world.after(latencyMs * (0.5 + this.#random()), () => {
      if (this.is('dead') || this.is('errors')) done(null, true);
      else done(this.#answer(asked), false);
    });
  }

  #take(block: SimBlock): void {
    if (this.is('stuck') || this.is('dead') || block.number < this.tip.number) return;
    const isNews = block.hash !== this.tip.hash;
    this.tip = block;
    for (let b: SimBlock | null = block; b !== null && !this.#tookAt.has(b.hash); b = b.parent) this.#tookAt.set(b.hash, this.#world.nowMs);
    if (this.is('mute') || !isNews) return;
    this.#told.pushed(this.index, block);
    if (this.#random() < 0.1) this.#told.pushed(this.index, block);
    this.#told.head(this.index, block);
  }

  #answer({ kind, hash, number }: Asked): unknown {
    const took = this.#tookAt.get(hash);
    const block = this.#chain.byHash.get(hash);
    if (took === undefined || block === undefined || number > this.tip.number) return kind === 'logs' && this.#random() < 0.5 ? [] : null;
    if (kind === 'header') {
      if (this.is('noHeader')) return null;
      return this.is('badHeader') ? { ...block.header, parentHash: headOf(block).hash } : block.header;
    }
    const isLate = this.#world.nowMs - took < this.#plan.logsLagMs;
    if (kind === 'receipts') return isLate && this.#random() < 0.5 ? null : [{ blockHash: hash, logs: block.logs }];
    if (isLate || this.is('emptyLogs')) return [];
    if (this.is('someLogs')) return block.logs.slice(1);
    if (this.is('wrongLogs')) return (block.parent?.logs ?? []).map((log) => ({ ...log, blockHash: hash }));
    return block.logs.toReversed();
  }
}
