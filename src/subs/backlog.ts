/** A message that waits for a slow client. */
export interface Waiting {
  /** Subscription that it belongs to. */
  readonly id: string;
  readonly message: string;
  /** Only the newest of its subscription matters to whoever fell far behind. */
  readonly conflates: boolean;
}

/** Messages for one slow client, oldest first. Sizes count characters, which are bytes for what nodes send. */
export class Backlog {
  sizeBytes = 0;
  #items: Waiting[] = [];
  #from = 0;

  get length(): number {
    return this.#items.length - this.#from;
  }

  push(item: Waiting): void {
    this.#items.push(item);
    this.sizeBytes += item.message.length;
  }

  shift(): Waiting | undefined {
    const item = this.#items[this.#from];
    if (item === undefined) return undefined;
    this.#from++;
    this.sizeBytes -= item.message.length;
    if (this.#from > 64 && this.#from * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#from);
      this.#from = 0;
    }
    return item;
  }

  /** Gives up what belongs to a subscription that ended. */
  forget(id: string): void {
    this.#keep((item) => item.id !== id);
  }

  /** Keeps only the newest of each subscription that conflates. @returns how many went */
  conflate(): number {
    const newest = new Map<string, Waiting>();
    const before = this.length;
    for (const item of this.#items) if (item.conflates) newest.set(item.id, item);
    this.#keep((item) => !item.conflates || newest.get(item.id) === item);
    return before - this.length;
  }

  #keep(wanted: (item: Waiting) => boolean): void {
    this.#items = this.#items.slice(this.#from).filter(wanted);
    this.#from = 0;
    this.sizeBytes = this.#items.reduce((sum, { message }) => sum + message.length, 0);
  }
}
