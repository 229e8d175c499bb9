/** At most so many at once; the others wait in line. */
export class Slots {
  max: number;
  #taken = 0;
  readonly #line: (() => void)[] = [];

  constructor(max: number) {
    this.max = max;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#line.length;
  }

  get isFull(): boolean {
    return this.#taken >= this.max;
  }

  /** Resolves when one is free; then `give` it back. */
  take(): Promise<void> {
    if (this.#taken < this.max) {
      this.#taken++;
      return Promise.resolve();
    }
    return new Promise((resolve) => void this.#line.push(resolve));
  }

  give(): void {
    const next = this.#taken <= this.max ? this.#line.shift() : undefined;
    if (next === undefined) this.#taken--;
    else next();
  }
}
