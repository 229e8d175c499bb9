import type { Call } from './call.ts';
import type { BodyFlow, FlowOut } from './port.ts';
import type { UwsResponse } from './uwsLoad.ts';

/** Sends a body as it comes; to be called within the cork of its head. */
export function sendFlow(call: Call<UwsResponse>, flow: BodyFlow): void {
  flow.begin(flow.lengthBytes < 0 ? new ChunkedOut(call, flow) : new SizedOut(call, flow));
}

const NOTHING = new Uint8Array(0);

/** A body of known length. The library keeps nothing of it: what a reader does not take at once waits here. */
class SizedOut implements FlowOut {
  readonly #call: Call<UwsResponse>;
  readonly #flow: BodyFlow;
  #rest: Uint8Array | null = null;
  #restAt = 0;
  #watches = false;

  constructor(call: Call<UwsResponse>, flow: BodyFlow) {
    this.#call = call;
    this.#flow = flow;
  }

  write(piece: Uint8Array): boolean {
    if (this.#call.over || piece.byteLength === 0) return true;
    this.#rest = piece;
    this.#call.handle.cork(this.#begin);
    return this.#rest === null;
  }

  readonly #begin = (): void => {
    const res = this.#call.handle;
    this.#restAt = res.getWriteOffset();
    if (this.#send(this.#restAt) || this.#watches) return;
    res.onWritable((offset) => this.#onWritable(offset));
    this.#watches = true;
  };

  end(): void {
    // the last byte ends it
  }

  cut(): void {
    if (!this.#call.over) this.#call.handle.close();
  }

  #onWritable(offset: number): boolean {
    if (this.#rest === null) return true;
    const isTaken = this.#send(offset);
    if (isTaken && !this.#call.over) this.#flow.onDrain();
    return isTaken;
  }

  /** Sends what is left of the piece. @returns whether all of it was taken */
  #send(offset: number): boolean {
    const [ok, done] = this.#call.handle.tryEnd(this.#rest?.subarray(offset - this.#restAt) ?? NOTHING, this.#flow.lengthBytes);
    if (ok || done) this.#rest = null;
    if (done) this.#call.sent();
    return ok || done;
  }
}

/** A body of unknown length, in chunked coding. The library keeps a copy of what a reader does not take of one piece. */
class ChunkedOut implements FlowOut {
  readonly #call: Call<UwsResponse>;
  readonly #flow: BodyFlow;
  #watches = false;

  constructor(call: Call<UwsResponse>, flow: BodyFlow) {
    this.#call = call;
    this.#flow = flow;
  }

  write(piece: Uint8Array): boolean {
    if (this.#call.over || piece.byteLength === 0) return true;
    const res = this.#call.handle;
    let isTaken = true;
    res.cork(() => {
      isTaken = res.write(piece);
    });
    if (!this.#watches && !isTaken) res.onWritable(() => this.#onWritable());
    this.#watches ||= !isTaken;
    return isTaken;
  }

  end(): void {
    const call = this.#call;
    if (call.over) return;
    call.handle.cork(() => void call.handle.end('', call.closing));
    call.sent();
  }

  cut(): void {
    if (!this.#call.over) this.#call.handle.close();
  }

  #onWritable(): boolean {
    if (!this.#call.over) this.#flow.onDrain();
    return true;
  }
}
