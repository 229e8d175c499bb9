import type { HttpExchange } from './exchange.ts';
import type { ExchangePlace } from './request.ts';

/**
 * A list in order of arrival whose items know their neighbours, so that adding and taking out cost nothing. Not a `Set`: through one
 * that all calls pass, the tables it throws away keep them alive (see `UnderwaySet`).
 */
class Line {
  first: HttpExchange | null = null;
  size = 0;
  private last: HttpExchange | null = null;

  add(item: HttpExchange): void {
    item.line = this;
    item.before = this.last;
    if (this.last === null) this.first = item;
    else this.last.after = item;
    this.last = item;
    this.size++;
  }

  /** A no-op for what is not in this line. */
  remove(item: HttpExchange): void {
    if (item.line !== this) return;
    const { before, after } = item;
    if (before === null) this.first = after;
    else before.after = after;
    if (after === null) this.last = before;
    else after.before = before;
    item.line = null;
    item.before = null;
    item.after = null;
    this.size--;
  }
}

/** Exchanges that wait for a slot, first come first served; one that is given up leaves at once. */
export class WaitingQueue implements ExchangePlace {
  readonly written = false;
  /** Those that go alone. */
  private readonly lone = new Line();
  /** Those that may share a message. */
  private readonly light = new Line();
  private lastTurn = 0;
  private readonly onEmptied: () => void;

  /** @param onEmptied the last one that waited was given up */
  constructor(onEmptied: () => void) {
    this.onEmptied = onEmptied;
  }

  get size(): number {
    return this.lone.size + this.light.size;
  }

  /** Those that may share a message. */
  get lightSize(): number {
    return this.light.size;
  }

  add(exchange: HttpExchange, light: boolean): void {
    exchange.turn = ++this.lastTurn;
    exchange.place = this;
    (light ? this.light : this.lone).add(exchange);
  }

  onLeft(exchange: HttpExchange): void {
    this.lone.remove(exchange);
    this.light.remove(exchange);
    if (this.size === 0) this.onEmptied();
  }

  /** Whether the next turn is that of light ones. @param mayLight light ones may go now */
  isLightNext(mayLight: boolean): boolean {
    const { first: lone } = this.lone;
    const { first: light } = this.light;
    return mayLight && light !== null && (lone === null || light.turn < lone.turn);
  }

  /** Takes out the first of those that go alone. */
  takeLone(): HttpExchange | null {
    const { first } = this.lone;
    if (first !== null) this.lone.remove(first);
    return first;
  }

  /**
   * Takes out light ones that go together.
   * @param maxCalls most of them
   * @param maxBytes most bytes of them together; the first goes in any case
   */
  takeLight(maxCalls: number, maxBytes: number): HttpExchange[] {
    const taken: HttpExchange[] = [];
    let sizeBytes = 1;
    while (taken.length < maxCalls) {
      const { first } = this.light;
      if (first === null) break;
      sizeBytes += first.body.length + 1;
      if (taken.length > 0 && sizeBytes > maxBytes) break;
      this.light.remove(first);
      taken.push(first);
    }
    return taken;
  }

  /** Takes out anyone; null when nobody waits. */
  takeAny(): HttpExchange | null {
    return this.takeLone() ?? this.takeLight(1, 0)[0] ?? null;
  }
}
