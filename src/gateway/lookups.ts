/** Look-ups under way, and who waits until those of one moment are over. */
export class Lookups {
  private readonly open = new Map<string, (() => void)[]>();

  get size(): number {
    return this.open.size;
  }

  /** One has begun; the same key again is the same one. */
  begin(key: string): void {
    if (!this.open.has(key)) this.open.set(key, []);
  }

  end(key: string): void {
    const waiters = this.open.get(key) ?? [];
    this.open.delete(key);
    for (const waiter of waiters) waiter();
  }

  /** Ends all whose key begins so: whoever made them is gone. */
  endAll(prefix: string): void {
    for (const key of [...this.open.keys()]) if (key.startsWith(prefix)) this.end(key);
  }

  /** Calls `then` when all that are under way now are over; at once where there are none. */
  after(then: () => void): void {
    let left = this.open.size;
    if (left === 0) return then();
    const one = (): void => {
      if (--left === 0) then();
    };
    for (const waiters of this.open.values()) waiters.push(one);
  }
}
