import { pageBytes } from '../../chain/logs/page.ts';
import type { LogPage } from '../../chain/logs/page.ts';
import type { BodyFlow, FlowOut } from '../../edge/port.ts';

const PIECE_BYTES = 65_536;
const COMMA = 0x2c;

/** Pages that follow each other as one JSON array, written as the reader takes it: what is written is not kept. */
export class PagesFlow implements BodyFlow {
  readonly lengthBytes: number;
  private readonly pieces: Generator<Buffer, void>;
  private out: FlowOut | null = null;
  private over = false;
  private readonly releases: (() => void)[] = [];

  /** @param pages at least one log in all @param head, tail what stands before and behind the array, in latin1 */
  constructor(pages: readonly LogPage[], head: string, tail: string) {
    // of the commas there is one fewer than logs
    this.lengthBytes = head.length + tail.length + 1 + pages.reduce((sum, page) => sum + pageBytes(page), 0);
    this.pieces = piecesOf([...pages], `${head}[`, `]${tail}`);
  }

  /** What is to be given back when it is over. */
  hold(release: () => void): void {
    if (this.over) release();
    else this.releases.push(release);
  }

  begin(out: FlowOut): void {
    this.out = out;
    this.onDrain();
  }

  onDrain(): void {
    const { out } = this;
    while (!this.over && out !== null) {
      const { value, done } = this.pieces.next();
      if (done === true) {
        this.onGone();
        out.end();
      } else if (!out.write(value)) return;
    }
  }

  onGone(): void {
    if (this.over) return;
    this.over = true;
    this.pieces.return();
    for (const release of this.releases.splice(0)) release();
  }
}

function* piecesOf(pages: LogPage[], head: string, tail: string): Generator<Buffer, void> {
  let piece = Buffer.allocUnsafe(PIECE_BYTES);
  let at = piece.write(head, 'latin1');
  let isFirst = true;
  for (let page = pages.shift(); page !== undefined; page = pages.shift()) {
    for (const [place, start] of page.starts.entries()) {
      const end = page.ends[place] as number;
      if (at + end - start + 1 > piece.length) {
        yield piece.subarray(0, at);
        piece = Buffer.allocUnsafe(Math.max(PIECE_BYTES, end - start + 1));
        at = 0;
      }
      if (!isFirst) piece[at++] = COMMA;
      isFirst = false;
      at += page.bytes.copy(piece, at, start, end);
    }
  }
  yield piece.subarray(0, at);
  yield Buffer.from(tail, 'latin1');
}
