import type { Random } from '../base/random.ts';
import { askAt } from '../cache/byHash.ts';
import type { Entry } from '../cache/entry.ts';
import type { CallAsk } from '../cache/rule.ts';
import { sameJson } from '../cache/sameJson.ts';
import type { CacheMetrics } from '../observe/cacheMetrics.ts';
import type { Logger } from '../observe/log.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import type { KeepHost } from './cacheKeep.ts';
import type { SideCalls } from './sideCalls.ts';

/** Comparisons under way at once; beyond it hits are not sampled. */
const MAX_UNDER_WAY = 16;

/** What comparing stands on. */
export interface VerifyParts {
  readonly host: KeepHost;
  readonly calls: SideCalls;
  readonly metrics: CacheMetrics;
  readonly random: Random;
  readonly log: Logger;
  /** Indices of nodes that serve now. */
  serving(): readonly number[];
  /** A node says otherwise than the answer that was given. */
  differs(entry: Entry): void;
}

/**
 * Asks a node again for a share of the answers that came from the cache, of the very same block, and counts where it says
 * otherwise. Answers about the moment are left out: fee estimates are each node's own.
 */
export class Verifier {
  private readonly parts: VerifyParts;
  private underWay = 0;
  /** Share of hits, 0 to 1. */
  share = 0;

  constructor(parts: VerifyParts) {
    this.parts = parts;
  }

  /** Hot: an answer came from the cache. */
  onHit(entry: Entry, ask: CallAsk, call: ScannedCall): void {
    if (this.share === 0 || entry.bond !== 'block' || this.parts.random() >= this.share) return;
    if (this.underWay < MAX_UNDER_WAY) this.compare(entry, ask, call);
  }

  private compare(entry: Entry, ask: CallAsk, call: ScannedCall): void {
    const { host, calls, metrics, random, serving } = this.parts;
    const able = serving().filter((index) => host.agreed(index) >= entry.number);
    const index = able[Math.floor(random() * able.length)];
    if (index === undefined) return;
    const wording = askAt(ask, entry, call.paramsRaw, host.hashes.has(index, host.agreed(index)));
    if (wording === null) return;
    this.underWay++;
    calls.ask('verify', index, [call.method, wording], (reply) => {
      this.underWay--;
      // a node that fails, or lacks the block by now, says nothing about the stored answer
      if (reply.kind === 'silent' || (reply.kind === 'error') !== entry.isError) return;
      const isSame = reply.kind === 'error' || sameJson(reply.body.subarray(reply.start, reply.end), entry.value);
      if (isSame) return metrics.onVerified(true);
      // asked by number, it may just have gone to another branch: it is to say that it has not
      const differs = (): void => this.onDifference(entry, call, index);
      if (entry.hash === '' || entry.class === 'finalized') differs();
      else host.confirmer.confirm(index, entry.number, () => host.view.hashAt(entry.number) === entry.hash && differs());
    });
  }

  private onDifference(entry: Entry, { method }: ScannedCall, upstream: number): void {
    const { number, hash } = entry;
    this.parts.metrics.onVerified(false);
    this.parts.differs(entry);
    this.parts.log.error({ method, number, hash, upstream }, 'a stored answer differs from that of a node for the same block');
  }
}
