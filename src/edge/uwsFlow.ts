import type { Call } from './call.ts';
import type { BodyFlow, FlowOut } from './port.ts';
import type { UwsResponse } from './uwsLoad.ts';

/** Sends a body as it comes; to be called within the cork of its head. */
export function sendFlow(call: Call<UwsResponse>, flow: BodyFlow): void {
  flow.begin(flow.lengthBytes < 0 ? new ChunkedOut(call, flow) : new SizedOut(call, flow));
}

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
    const res = this.#call.handle;
    const at = res.getWriteOffset();
    const [ok, done] = res.tryEnd(piece, this.#flow.lengthBytes);
    if (done) this.#call.sent();
    if (ok || done) return true;
    this.#rest = piece;
    this.#restAt = at;
    if (!this.#watches) res.onWritable((offset) => this.#onWritable(offset));
    this.#watches = true;
    return false;
  }

  end(): void {
    // the last byte ends it
  }

  cut(): void {
    if (!this.#call.over) this.#call.handle.close();
  }

  #onWritable(offset: number): boolean {
    const rest = this.#rest;
    if (rest === null) return true;
    const [ok, done] = this.#call.handle.tryEnd(rest.subarray(offset - this.#restAt), this.#flow.lengthBytes);
    if (done) this.#call.sent();
    if (!ok) return done;
    this.#rest = null;
    if (!done) this.#flow.onDrain();
    return true;
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
    const isTaken = res.write(piece);
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
