const SLOTS = 4096;

/**
 * What waits under a whole number, ids mostly being handed out one after another: nearly all lie in an array at their remainder.
 * Not a `Map`: through one that all calls pass, the tables it throws away keep them alive (see `UnderwaySet`).
 */
export class IdTable<T extends { readonly id: number }> {
  size = 0;
  /** Called when the last item was taken out. */
  onEmptied: (() => void) | null = null;
  private readonly slots: (T | null)[] = new Array<T | null>(SLOTS).fill(null);
  /** Those whose slot was taken. */
  private readonly others = new Map<number, T>();

  /** False when something waits under that id already. */
  add(item: T): boolean {
    if (this.get(item.id) !== null) return false;
    if (this.slots[item.id % SLOTS] === null) this.slots[item.id % SLOTS] = item;
    else this.others.set(item.id, item);
    this.size++;
    return true;
  }

  /** Takes out what waits under an id; null = nothing does. */
  take(id: number): T | null {
    const item = this.get(id);
    return item !== null && this.remove(item) ? item : null;
  }

  /** False when it is not in. */
  remove(item: T): boolean {
    if (this.get(item.id) !== item) return false;
    if (this.slots[item.id % SLOTS] === item) this.slots[item.id % SLOTS] = null;
    else this.others.delete(item.id);
    this.size--;
    if (this.size === 0) this.onEmptied?.();
    return true;
  }

  /** Takes out everything. */
  clear(): T[] {
    const all = [...this.slots.filter((item) => item !== null), ...this.others.values()];
    this.slots.fill(null);
    this.others.clear();
    this.size = 0;
    if (all.length > 0) this.onEmptied?.();
    return all;
  }

  private get(id: number): T | null {
    const item = id >= 0 ? this.slots[id % SLOTS] : null;
    if (item !== null && item !== undefined && item.id === id) return item;
    return this.others.size === 0 ? null : (this.others.get(id) ?? null);
  }
}
