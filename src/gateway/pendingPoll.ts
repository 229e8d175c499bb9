import type { TimerHandle, Timers } from '../base/clock.ts';
import { readHash } from '../chain/evm/fields.ts';
import type { NodeWord, Question } from './nodeQuestion.ts';

const EVERY_MS = 1_000;
/** After a node refused the filter or lost it. */
const AGAIN_MS = 5_000;

/** Pending transactions of a node without a WebSocket: a filter of its own, read every second. */
export class PendingPoll {
  private readonly timers: Timers;
  private readonly ask: (question: Question, done: (word: NodeWord) => void) => void;
  private readonly onHash: (hash: string) => void;
  private filterId: string | null = null;
  private timer: TimerHandle | null = null;
  private closed = false;

  constructor(timers: Timers, ask: (question: Question, done: (word: NodeWord) => void) => void, onHash: (hash: string) => void) {
    this.timers = timers;
    this.ask = ask;
    this.onHash = onHash;
  }

  start(): void {
    const method = this.filterId === null ? 'eth_newPendingTransactionFilter' : 'eth_getFilterChanges';
    this.ask({ method, paramsRaw: this.filterId === null ? '[]' : `["${this.filterId}"]` }, (word) => {
      if (!this.closed) this.onWord(word?.value);
    });
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
    if (this.filterId !== null) this.ask({ method: 'eth_uninstallFilter', paramsRaw: `["${this.filterId}"]` }, () => undefined);
  }

  private onWord(value: unknown): void {
    if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(value)) this.filterId = value;
    else if (Array.isArray(value)) for (const hash of value.map(readHash)) if (hash !== '') this.onHash(hash);
    const isLost = !Array.isArray(value) && typeof value !== 'string';
    if (isLost) this.filterId = null;
    this.timer = this.timers.after(isLost ? AGAIN_MS : EVERY_MS, () => this.start());
  }
}
