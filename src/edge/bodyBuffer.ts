const EMPTY = Buffer.alloc(0);

/**
 * Collects a body from pieces that their sender takes back. One piece costs one exact copy; more grow by doubling,
 * so that a body in single bytes cannot cost more than twice its size.
 */
export class BodyBuffer {
  #bytes: Buffer = EMPTY;
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  append(piece: Uint8Array): void {
    const needed = this.#sizeBytes + piece.byteLength;
    if (needed > this.#bytes.byteLength) {
      const grown = Buffer.allocUnsafe(this.#sizeBytes === 0 ? needed : Math.max(needed, this.#sizeBytes * 2));
      grown.set(this.#bytes.subarray(0, this.#sizeBytes));
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#sizeBytes);
    this.#sizeBytes = needed;
  }

  /** The whole body, handed over. */
  take(): Buffer {
    const whole = this.#bytes.byteLength === this.#sizeBytes ? this.#bytes : this.#bytes.subarray(0, this.#sizeBytes);
    this.#bytes = EMPTY;
    this.#sizeBytes = 0;
    return whole;
  }
}
