import type { BlockHeader } from './header.ts';

/** A block that the line has told of, or one that it began above. */
export interface LineBlock<K> {
  readonly number: number;
  readonly hash: string;
  /** What was kept of it; null = nobody was told of it. */
  readonly kept: K | null;
}

/**
 * What the window was too short for. `gap`: the blocks from `from` to `to` are left out. `reorg`: blocks up to `to` changed,
 * from a height on that is not known, at least `from`.
 */
export interface Loss {
  readonly kind: 'gap' | 'reorg';
  readonly from: number;
  readonly to: number;
}

/** What a line asks and tells. `B` is what a block must have before it is told of, `K` what is kept of it afterwards. */
export interface LinePort<B, K> {
  /** The header, or null while it is being fetched: `pump` again when it has come. */
  header(hash: string, number: number): BlockHeader | null;
  /** The body, or null while it is being fetched. */
  body(header: BlockHeader): B | null;
  added(header: BlockHeader, body: B): K;
  removed(block: LineBlock<K>): void;
  /** Blocks that cannot be told of. */
  lost(loss: Loss): void;
}

export interface LineOptions {
  /** Blocks that are remembered, and so the deepest reorg and the longest gap that are made good. */
  readonly windowBlocks: number;
  /** Bodies that are fetched ahead. */
  readonly prefetch: number;
}

/**
 * Turns a head that jumps, falls and changes branch into an unbroken sequence: each block of the trusted branch is told of
 * once, parents first; blocks that left it are taken back first, newest first, together with the first block that replaces them:
 * a head that only falls, as it does for a moment when nodes change branch one after another, takes nothing back.
 * Level-triggered: `pump` does what can be done with what is known now, and may be called at any time.
 */
export class BlockLine<B, K> {
  readonly #options: LineOptions;
  readonly #port: LinePort<B, K>;
  #blocks: LineBlock<K>[] = [];
  #target: { readonly number: number; readonly hash: string } | null = null;
  #pumping = false;

  constructor(options: LineOptions, port: LinePort<B, K>) {
    this.#options = options;
    this.#port = port;
  }

  /** The newest block that was told of; null before `seed`. */
  get top(): LineBlock<K> | null {
    return this.#blocks.at(-1) ?? null;
  }

  /** True when nothing is left to tell. */
  get idle(): boolean {
    return this.#target === null;
  }

  /** Starts above this branch: its hashes, lowest first, the last one at `topNumber`. Nobody is told of them. */
  seed(topNumber: number, hashes: readonly string[]): void {
    const first = topNumber - hashes.length + 1;
    this.#blocks = hashes.map((hash, place) => ({ number: first + place, hash, kept: null }));
    this.#target = null;
  }

  /** The trusted head is this block now. */
  aim(number: number, hash: string): void {
    if (this.#blocks.length === 0) this.seed(number, [hash]);
    else {
      this.#target = { number, hash };
      this.pump();
    }
  }

  /** Tells of a child of the head before it is trusted; false when it is none, or the line has not caught up. */
  race(header: BlockHeader, body: B): boolean {
    const { top } = this;
    if (!this.idle || top === null || header.parentHash !== top.hash || header.number !== top.number + 1) return false;
    this.#push(header, body);
    return true;
  }

  /** Goes on as far as what is known allows. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#target !== null && this.#follow(this.#target)) {
        // the target may have moved while clients were told
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** True when the target was reached. */
  #follow(target: { readonly number: number; readonly hash: string }): boolean {
    const path = this.#path(target);
    if (path === null) return false;
    for (const header of path.slice(-this.#options.prefetch)) this.#port.body(header);
    for (let header = path.pop(); header !== undefined; header = path.pop()) {
      const body = this.#port.body(header);
      if (body === null) return false;
      this.#cutTo(header.number - 1);
      this.#push(header, body);
    }
    if (this.#target === target) this.#target = null;
    return true;
  }

  /** Headers from the target down to the child of a block that the line has; null while one is missing. */
  #path(target: { readonly number: number; readonly hash: string }): BlockHeader[] | null {
    const path: BlockHeader[] = [];
    const bottom = this.#blocks[0]?.number ?? 0;
    const isTooFar = target.number - (this.top?.number ?? 0) > this.#options.windowBlocks;
    let { number, hash } = target;
    while (this.#hashAt(number) !== hash) {
      const header = this.#port.header(hash, number);
      if (header === null) return null;
      path.push(header);
      hash = header.parentHash;
      number--;
      if (isTooFar) this.#skip({ kind: 'gap', from: (this.top?.number ?? 0) + 1, to: number }, hash);
      else if (number < bottom) this.#skip({ kind: 'reorg', from: 0, to: number }, hash);
    }
    return path;
  }

  /** Goes on above the block at `loss.to`. */
  #skip(loss: Loss, hash: string): void {
    this.#cutTo(loss.to);
    this.#blocks = [{ number: loss.to, hash, kept: null }];
    this.#port.lost(loss);
  }

  #push(header: BlockHeader, body: B): void {
    const kept = this.#port.added(header, body);
    this.#blocks.push({ number: header.number, hash: header.hash, kept });
    if (this.#blocks.length > this.#options.windowBlocks) this.#blocks.shift();
  }

  /** Takes back what is above `number`, newest first. */
  #cutTo(number: number): void {
    for (let top = this.top; top !== null && top.number > number; top = this.top) {
      this.#blocks.pop();
      if (top.kept !== null) this.#port.removed(top);
    }
  }

  #hashAt(number: number): string {
    const first = this.#blocks[0]?.number ?? 0;
    return this.#blocks[number - first]?.hash ?? '';
  }
}
