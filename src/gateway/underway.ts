/** Something that can be in one `UnderwaySet` at a time. */
export interface Placed {
  /** Where it is; the set's own, -1 = nowhere. */
  place: number;
}

/**
 * A set of short-lived things: adding and taking out cost one array write and leave nothing behind. A `Set` that calls pass
 * through replaces its table every hundred calls or so; each table that is thrown away points to the next, so that, once
 * one has grown old, all later ones with all their calls live on to the next full collection.
 */
export class UnderwaySet<T extends Placed> {
  private readonly items: T[] = [];

  get size(): number {
    return this.items.length;
  }

  add(item: T): void {
    if (item.place >= 0) return;
    item.place = this.items.length;
    this.items.push(item);
  }

  /** Takes an item out; no matter when it is not in. */
  delete(item: T): void {
    const { place } = item;
    if (place < 0) return;
    const last = this.items.pop() as T;
    if (last !== item) {
      this.items[place] = last;
      last.place = place;
    }
    item.place = -1;
  }

  /** A copy, in no order. */
  snapshot(): readonly T[] {
    return this.items.slice();
  }
}
