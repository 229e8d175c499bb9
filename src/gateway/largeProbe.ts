import { integerId } from '../rpc/reply.ts';
import { ReplyScan } from '../rpc/replyScan.ts';
import type { BodyFlow } from '../upstream/port.ts';
import type { LargeStart } from './largeReply.ts';

/** Looks at the beginning of a large answer: whether it is a result that can be handed on before it has come whole. */
export class LargeProbe {
  /** No more of it can make it one. */
  hopeless = false;
  private readonly id: number;
  private readonly scan = new ReplyScan();
  private seen = 0;

  /** @param id our own, which the answer must have */
  constructor(id: number) {
    this.id = id;
  }

  /** @param pieces all that has come of it */
  look(pieces: readonly Buffer[], flow: BodyFlow): LargeStart | null {
    const { scan, id } = this;
    for (; this.seen < pieces.length; this.seen++) scan.push(pieces[this.seen] as Buffer);
    const isOurs = scan.idRaw === null || integerId(scan.idRaw) === id;
    this.hopeless = scan.failed || scan.isError || !isOurs;
    return this.hopeless || !scan.inResult ? null : { scan, pieces, flow, id };
  }
}
