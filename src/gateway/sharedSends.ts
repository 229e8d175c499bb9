import type { Clock } from '../base/clock.ts';
import { Lookups } from './lookups.ts';
import { SendBook } from './sendBook.ts';

/** The newest transaction of a sender, as processes tell each other. */
export interface SharedSend {
  readonly nonce: number;
  /** Lower case. */
  readonly hash: string;
  /** `RouteEntry.index` of the node that took it. */
  readonly node: number;
  /** How long it is to be remembered. */
  readonly leftMs: number;
}

/** What one process tells of the transactions that went through it, and asks of those that went through others. */
export interface SendDesk {
  /** A transaction was taken, its sender is being looked up. Told before the client that sent it is. */
  onSending(hash: string): void;
  /** That look-up is over. @param sender lower case; '' = it was in vain */
  onSender(hash: string, sender: string, send: SharedSend | null): void;
  /** The sender's last transaction is gone. */
  onGone(sender: string, hash: string): void;
  /** Tells the sender's last transaction once those that were taken until now are known; null = none is remembered. */
  lastOf(sender: string, done: (send: SharedSend | null) => void): void;
}

/** The senders' last transactions through all worker processes of one chain. */
export class SharedSends {
  private readonly clock: Clock;
  private readonly book = new SendBook();
  private readonly lookups = new Lookups();
  private sides = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Where one process tells and asks; `leave` when it is gone. */
  join(): SendDesk & { leave(): void } {
    const prefix = `${++this.sides}/`;
    const { book, lookups, clock } = this;
    return {
      onSending: (hash) => lookups.begin(prefix + hash),
      onSender: (hash, sender, send) => {
        const nowMs = clock.nowMs();
        if (send !== null) book.onSender(sender, { nonce: send.nonce, hash: send.hash, node: send.node, untilMs: nowMs + send.leftMs }, nowMs);
        lookups.end(prefix + hash);
      },
      onGone: (sender, hash) => {
        if (book.lastOf(sender, clock.nowMs())?.hash === hash) book.forget(sender);
      },
      lastOf: (sender, done) => lookups.after(() => done(this.lastOf(sender))),
      leave: () => lookups.endAll(prefix),
    };
  }

  private lastOf(sender: string): SharedSend | null {
    const nowMs = this.clock.nowMs();
    const last = this.book.lastOf(sender, nowMs);
    return last === null ? null : { nonce: last.nonce, hash: last.hash, node: last.node, leftMs: last.untilMs - nowMs };
  }
}
