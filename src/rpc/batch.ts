import { Fault } from '../base/fault.ts';
import { errorEnvelope, joinBatch } from './envelope.ts';
import type { ScannedCall } from './call.ts';

/**
 * The answer to a client's batch, put together as its entries come in. Faulty entries are settled from the start; the caller
 * takes the others one by one and settles each. Answers stand in the order of the entries; notifications have none.
 */
export class BatchAssembly {
  private readonly calls: readonly ScannedCall[];
  private readonly parts: (Buffer | null)[];
  private readonly settled: Uint8Array;
  private readonly maxBytes: number;
  private sizeBytes = 2;
  private open: number;
  private cursor = 0;

  /**
   * @param calls entries as scanned, at least one
   * @param maxBytes most bytes of all answers together; what arrives beyond is replaced by the error `responseTooLarge`
   */
  constructor(calls: readonly ScannedCall[], maxBytes: number) {
    this.calls = calls;
    this.maxBytes = maxBytes;
    this.parts = new Array<Buffer | null>(calls.length).fill(null);
    this.settled = new Uint8Array(calls.length);
    this.open = calls.length;
    calls.forEach((call, position) => {
      if (call.fault !== null) this.settle(position, errorEnvelope(call.idRaw ?? 'null', call.fault));
    });
  }

  /** True once every entry is settled. */
  get done(): boolean {
    return this.open === 0;
  }

  /** Position of the next entry to run, each once; -1 when none is left to start. Notifications are run too. */
  take(): number {
    while (this.cursor < this.calls.length) {
      const position = this.cursor++;
      if (this.calls[position]?.fault === null && this.settled[position] === 0) return position;
    }
    return -1;
  }

  /**
   * Gives an entry its answer: a whole envelope; null, or anything, for a notification. A second answer to the same entry is ignored.
   * @returns true when this was the last one open
   */
  settle(position: number, answer: Buffer | null): boolean {
    const call = this.calls[position];
    if (call === undefined || this.settled[position] === 1) return false;
    this.settled[position] = 1;
    this.open--;
    if (call.idRaw !== null) this.keep(position, call.idRaw, answer ?? errorEnvelope(call.idRaw, new Fault('internal')));
    return this.open === 0;
  }

  /** Takes the answer of an entry back, so that it is taken and settled once more. */
  reopen(position: number): void {
    if (this.settled[position] !== 1 || this.calls[position]?.fault !== null) return;
    this.settled[position] = 0;
    this.open++;
    this.sizeBytes -= (this.parts[position]?.length ?? -1) + 1;
    this.parts[position] = null;
    this.cursor = Math.min(this.cursor, position);
  }

  /** The batch's body, or null when nothing is to be answered (HTTP 204). Entries still open are left out. */
  body(): Buffer | null {
    const answers = this.parts.filter((part) => part !== null);
    return answers.length === 0 ? null : joinBatch(answers);
  }

  private keep(position: number, idRaw: string, answer: Buffer): void {
    const fits = this.sizeBytes + answer.length + 1 <= this.maxBytes;
    const part = fits ? answer : errorEnvelope(idRaw, new Fault('responseTooLarge'));
    this.parts[position] = part;
    this.sizeBytes += part.length + 1;
  }
}
