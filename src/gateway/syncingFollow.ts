import type { TimerHandle } from '../base/clock.ts';
import type { PendingParts } from './pendingFollow.ts';

export interface SyncingParts extends Pick<PendingParts, 'world' | 'table' | 'ask' | 'deliver'> {
  /** Every node that answers says that it is syncing. */
  isSyncing(): boolean;
}

const KEY = 'syncing';
const LOOK_MS = 1_000;
/** Looks from one word of progress to the next. */
const PROGRESS_LOOKS = 5;

/**
 * Whether the chain behind the gateway is in sync, for as long as somebody wants to know: `{"syncing":true,"status":…}` when every
 * node is syncing and every 5 s from then on, the status being what one of them answers to `eth_syncing`; `false` when one is in sync.
 */
export class SyncingFollow {
  private readonly parts: SyncingParts;
  private timer: TimerHandle | null = null;
  private isSyncing = false;
  private looks = 0;

  constructor(parts: SyncingParts) {
    this.parts = parts;
  }

  open(): void {
    if (this.timer === null) this.look();
  }

  close(): void {
    this.timer?.cancel();
    this.timer = null;
    this.isSyncing = false;
  }

  private look(): void {
    this.timer = this.parts.world.timers.after(LOOK_MS, () => this.look());
    const before = this.isSyncing;
    this.isSyncing = this.parts.isSyncing();
    if (!this.isSyncing) {
      if (before) this.tell('false');
    } else if (!before || ++this.looks >= PROGRESS_LOOKS) {
      this.looks = 0;
      this.progress();
    }
  }

  private progress(): void {
    const { entries, serving } = this.parts.table();
    const node = serving[0] ?? entries.find(({ state }) => state !== 'down')?.index;
    if (node === undefined) return;
    this.parts.ask(node, { method: 'eth_syncing', paramsRaw: '[]' }, (word) => {
      if (!this.isSyncing || typeof word?.value !== 'object' || word.value === null) return;
      this.tell(`{"syncing":true,"status":${JSON.stringify(word.value)}}`);
    });
  }

  private tell(result: string): void {
    this.parts.deliver({ key: KEY, results: [result], number: -1, serial: -1, undoes: -1, receivedMs: this.parts.world.clock.nowMs() });
  }
}
