/** Runs pieces of work one after the other, in the order asked. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as `work` does, once everything asked before is over. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

/** Lets one loop sleep until it is woken or a time is over. A wake while nobody sleeps is kept. */
export class Signal {
  #pending = false;
  #resolve: (() => void) | null = null;

  wake(): void {
    if (this.#resolve === null) this.#pending = true;
    else this.#resolve();
  }

  /** Resolves at the next `wake`, at once if one was kept, or after `timeoutMs`. */
  async sleep(timeoutMs: number): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#resolve = null;
    }
    this.#pending = false;
  }
}
