/** A bounded window of block number -> hash: a ring, the newest `depth` numbers fit. */
export class BlockLedger {
  readonly #numbers: Float64Array;
  readonly #hashes: string[];
  readonly depth: number;

  constructor(depth: number) {
    this.depth = depth;
    this.#numbers = new Float64Array(depth).fill(-1);
    this.#hashes = new Array<string>(depth).fill('');
  }

  /** Hash at `number`, or '' when it is not known. */
  hashAt(number: number): string {
    const slot = number % this.depth;
    return number >= 0 && this.#numbers[slot] === number ? (this.#hashes[slot] ?? '') : '';
  }

  /** Learns a hash; what shared its place in the ring is forgotten. */
  set(number: number, hash: string): void {
    if (number < 0) return;
    const slot = number % this.depth;
    this.#numbers[slot] = number;
    this.#hashes[slot] = hash;
  }

  /** Forgets every number outside `from..to`. */
  keep(from: number, to: number): void {
    for (let slot = 0; slot < this.depth; slot++) {
      const number = this.#numbers[slot] ?? -1;
      if (number < from || number > to) {
        this.#numbers[slot] = -1;
        this.#hashes[slot] = '';
      }
    }
  }
}
