/** Transactions, and senders, that are remembered. */
const CAPACITY = 20_000;

/** The newest transaction of a sender that went through this process. */
export interface LastSend {
  readonly nonce: number;
  /** Lower case. */
  readonly hash: string;
  /** `RouteEntry.index` of the node that took it. */
  readonly node: number;
  readonly untilMs: number;
}

/** A map that forgets its oldest entries. */
class Bounded<V> {
  private readonly entries = new Map<string, V>();

  get(key: string): V | undefined {
    return this.entries.get(key);
  }

  set(key: string, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size <= CAPACITY) return;
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest);
      return;
    }
  }

  delete(key: string): void {
    this.entries.delete(key);
  }
}

/** What is remembered of the transactions that went through this process: which node took each, and each sender's last. */
export class SendBook {
  private readonly nodes = new Bounded<number>();
  private readonly senders = new Bounded<LastSend>();

  /** A node has taken a transaction. @param hash lower case */
  onTaken(hash: string, node: number): void {
    this.nodes.set(hash, node);
  }

  /** Node that took a transaction; -1 = not known. */
  nodeOf(hash: string): number {
    return this.nodes.get(hash) ?? -1;
  }

  /** The sender of a transaction is known. @param sender lower case */
  onSender(sender: string, send: LastSend, nowMs: number): void {
    const last = this.lastOf(sender, nowMs);
    if (last === null || send.nonce >= last.nonce) this.senders.set(sender, send);
  }

  /** The sender's last transaction; null = none is remembered. */
  lastOf(sender: string, nowMs: number): LastSend | null {
    const last = this.senders.get(sender);
    return last === undefined || last.untilMs <= nowMs ? null : last;
  }

  /** The sender's last transaction is gone. */
  forget(sender: string): void {
    this.senders.delete(sender);
  }
}
