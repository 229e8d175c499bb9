/** How many connections each name has open, where that is limited. */
export class SocketCounts {
  private readonly max: number;
  private readonly open = new Map<string, number>();

  /** @param max most per name; 0 = no limit */
  constructor(max: number) {
    this.max = max;
  }

  /** One more for this name, if it may; '' is nobody and not counted. Each that is let in must `leave`. */
  enter(name: string): boolean {
    if (this.max === 0 || name === '') return true;
    const count = this.open.get(name) ?? 0;
    if (count >= this.max) return false;
    this.open.set(name, count + 1);
    return true;
  }

  leave(name: string): void {
    const count = this.open.get(name);
    if (count === undefined) return;
    if (count === 1) this.open.delete(name);
    else this.open.set(name, count - 1);
  }
}
