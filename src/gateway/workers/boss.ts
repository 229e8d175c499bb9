import type { FromWorker, ToWorker } from './protocol.ts';

/** Reports that may be on their way before no more are sent: the process over us does not read. */
const MAX_PENDING = 8;

/** The process over a worker, as the worker reaches it. */
export class Boss {
  private pending = 0;

  /** @param onMessage is never called from within a method of this class */
  constructor(onMessage: (message: ToWorker) => void) {
    process.on('message', onMessage);
  }

  /** True while it does not take what it was sent: what can wait should. */
  get busy(): boolean {
    return this.pending >= MAX_PENDING;
  }

  /** Resolves when the message has left this process, or cannot. */
  send(message: FromWorker): Promise<void> {
    if (process.send === undefined || !process.connected) return Promise.resolve();
    this.pending++;
    return new Promise((resolve) => {
      process.send?.(message, undefined, undefined, () => {
        this.pending--;
        resolve();
      });
    });
  }
}
