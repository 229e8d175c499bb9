import { constants, createGzip } from 'node:zlib';
import type { Gzip } from 'node:zlib';
import type { BodyFlow, FlowOut } from './port.ts';

/** A body that is compressed on its way, on the thread pool. The fastest level: JSON shrinks well even so. */
export class GzipFlow implements BodyFlow {
  readonly lengthBytes = -1;
  readonly #source: BodyFlow;
  readonly #gzip: Gzip = createGzip({ level: constants.Z_BEST_SPEED });
  #onOver: (() => void) | null;

  /** @param onOver called once, when nothing is compressed any more */
  constructor(source: BodyFlow, onOver: () => void) {
    this.#source = source;
    this.#onOver = onOver;
  }

  begin(out: FlowOut): void {
    const gzip = this.#gzip;
    gzip.on('data', (piece: Buffer) => {
      if (!out.write(piece)) gzip.pause();
    });
    gzip.on('drain', () => this.#source.onDrain());
    gzip.on('end', () => {
      this.#end();
      out.end();
    });
    const cut = (): void => {
      this.#end();
      gzip.destroy();
      out.cut();
    };
    gzip.on('error', () => {
      this.#source.onGone();
      cut();
    });
    this.#source.begin({
      write: (piece) => gzip.destroyed || gzip.write(piece),
      end: () => void gzip.end(),
      cut,
    });
  }

  onDrain(): void {
    this.#gzip.resume();
  }

  onGone(): void {
    this.#source.onGone();
    this.#gzip.destroy();
    this.#end();
  }

  #end(): void {
    this.#onOver?.();
    this.#onOver = null;
  }
}
