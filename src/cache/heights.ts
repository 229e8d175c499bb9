/** Keys by the height of their block, so that a reorg finds exactly what it voids. */
export class HeightIndex {
  readonly #keys = new Map<number, Set<string>>();

  add(number: number, key: string): void {
    const keys = this.#keys.get(number);
    if (keys === undefined) this.#keys.set(number, new Set([key]));
    else keys.add(key);
  }

  remove(number: number, key: string): void {
    const keys = this.#keys.get(number);
    if (keys === undefined) return;
    keys.delete(key);
    if (keys.size === 0) this.#keys.delete(number);
  }

  /** All heights from `from` up, in no order. */
  heightsFrom(from: number): number[] {
    return [...this.#keys.keys()].filter((number) => number >= from);
  }

  keysAt(number: number): string[] {
    return [...(this.#keys.get(number) ?? [])];
  }
}
