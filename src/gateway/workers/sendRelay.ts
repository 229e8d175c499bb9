import type { SendDesk, SharedSend } from '../sharedSends.ts';
import type { FromWorker } from './protocol.ts';

/** What went through the workers of one chain, as one of them tells and asks it: it is kept in the process over them. */
export class SendRelay implements SendDesk {
  private readonly chain: number;
  private readonly tell: (message: FromWorker) => void;
  private readonly waiting = new Map<number, (send: SharedSend | null) => void>();
  private turns = 0;

  constructor(chain: number, tell: (message: FromWorker) => void) {
    this.chain = chain;
    this.tell = tell;
  }

  onSending(hash: string): void {
    this.tell({ kind: 'sends', chain: this.chain, word: { kind: 'sending', hash } });
  }

  onSender(hash: string, sender: string, send: SharedSend | null): void {
    this.tell({ kind: 'sends', chain: this.chain, word: { kind: 'sender', hash, sender, send } });
  }

  onGone(sender: string, hash: string): void {
    this.tell({ kind: 'sends', chain: this.chain, word: { kind: 'gone', sender, hash } });
  }

  lastOf(sender: string, done: (send: SharedSend | null) => void): void {
    const turn = ++this.turns;
    this.waiting.set(turn, done);
    this.tell({ kind: 'sends', chain: this.chain, word: { kind: 'last', turn, sender } });
  }

  onLast(turn: number, send: SharedSend | null): void {
    const done = this.waiting.get(turn);
    this.waiting.delete(turn);
    done?.(send);
  }
}
