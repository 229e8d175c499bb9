/** Who told of a block first, and how much later the others did. */
export class Arrivals {
  readonly #firstMs = new Map<string, number>();
  readonly #seen = new Map<string, Set<number>>();
  readonly #maxBlocks: number;

  /** @param maxBlocks newest blocks that are remembered */
  constructor(maxBlocks: number) {
    this.#maxBlocks = maxBlocks;
  }

  /** A node told of a block. @returns ms behind the first node that did; -1 = this node had told of it before */
  onTold(node: number, hash: string, nowMs: number): number {
    let nodes = this.#seen.get(hash);
    if (nodes === undefined) {
      nodes = new Set();
      this.#seen.set(hash, nodes);
      this.#firstMs.set(hash, nowMs);
      this.#trim();
    }
    if (nodes.has(node)) return -1;
    nodes.add(node);
    return nowMs - (this.#firstMs.get(hash) ?? nowMs);
  }

  /** When the first node told of the block, or `otherwise`. */
  firstMs(hash: string, otherwise: number): number {
    return this.#firstMs.get(hash) ?? otherwise;
  }

  #trim(): void {
    if (this.#seen.size <= this.#maxBlocks) return;
    for (const hash of this.#seen.keys()) {
      this.#seen.delete(hash);
      this.#firstMs.delete(hash);
      return;
    }
  }
}
