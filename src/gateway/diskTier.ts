import type { Clock } from '../base/clock.ts';
import { carriedBlock } from '../cache/carried.ts';
import type { Entry } from '../cache/entry.ts';
import type { CallAsk } from '../cache/rule.ts';
import type { FlushScope } from '../cache/store.ts';
import type { TierTally } from '../cache/tally.ts';
import type { BlockMark } from '../chain/head.ts';
import type { ChainView } from '../chain/view.ts';
import type { SecondTier } from './secondTier.ts';
import type { SideCalls } from './sideCalls.ts';

/** What a chain was when its answers were stored. */
interface Identity {
  readonly chainId: number;
  readonly genesis: string;
  /** Its finalized block; answers above it were not stored. */
  readonly final: BlockMark;
}

/** Between two tries to learn which chain this is. */
const RETRY_MS = 2000;
/** Answers that wait for the chain to be known. */
const MAX_EARLY = 1024;
/** Between two notes of how far the chain is final. */
const NOTE_MS = 1000;

export interface DiskParts {
  /** Name of the chain in the config. */
  readonly name: string;
  readonly tier: SecondTier;
  readonly tally: TierTally;
  readonly view: ChainView;
  readonly calls: SideCalls;
  readonly clock: Clock;
  chainId(): number | null;
  /** A node that stands at the trusted head; -1 = none. */
  node(): number;
}

/**
 * The final and static answers of one chain in the second tier. They are used once the chain is known to be the one that they
 * are of: by chain id, genesis and the block that was final then. As long as no node has answered since the start, it is taken
 * for the one that it was; there is nobody to say otherwise.
 */
export class DiskTier {
  private readonly parts: DiskParts;
  private identity: Identity | null;
  private known = false;
  private asking = false;
  private triedMs = Number.NEGATIVE_INFINITY;
  private notedMs = Number.NEGATIVE_INFINITY;
  private top = -1;
  /** Final answers that came before the chain was known. */
  private early: Entry[] = [];

  constructor(parts: DiskParts) {
    this.parts = parts;
    this.identity = readIdentity(parts.tier.note(parts.name));
  }

  /** The chain as it was, while no node tells what it is; null where there is nothing to go by, or a node tells. */
  get past(): ChainView | null {
    const { identity, parts } = this;
    if (parts.view.head !== null || identity === null) return null;
    const { final } = identity;
    return { head: null, finalized: final, epoch: parts.view.epoch, blockTimeMs: 0, refresh: () => undefined, hashAt: (number) => (number === final.number ? final.hash : '') };
  }

  get(ask: CallAsk): Entry | null {
    const space = this.space();
    if (space === '' || (ask.class !== 'static' && ask.class !== 'finalized' && ask.number >= 0 && ask.plan.rule === 'byBlock')) return null;
    const entry = this.parts.tier.get(space, ask.key);
    if (entry === null) this.parts.tally.onMiss(ask.class === 'static' ? 'static' : 'finalized');
    return entry;
  }

  /** The entry that `get` gave answers the call. */
  onHit(entry: Entry): void {
    this.parts.tally.onHit(entry.class);
  }

  put(entry: Entry): void {
    if (entry.class !== 'finalized' && entry.class !== 'static') return;
    if (!this.known) {
      if (this.early.length < MAX_EARLY) this.early.push(entry);
      return this.look();
    }
    if (this.parts.tier.put(this.space(), entry)) this.parts.tally.onStore(entry.class, entry.value.length);
  }

  flush(scope: FlushScope): void {
    const { identity } = this;
    this.early = [];
    if (identity !== null) void this.parts.tier.flush(spaceOf(identity), scope);
  }

  /** The chain may have moved: learns what it is, notes what is final, drops what no longer is. */
  look(): void {
    const { view, clock } = this.parts;
    if (view.head === null || !this.parts.tier.up) return;
    const final = view.finalized?.number ?? -1;
    const isBroken = final < this.top;
    if (isBroken) {
      this.flush({ fromNumber: final + 1 });
      this.early = [];
      this.known = false;
    }
    this.top = final;
    const nowMs = clock.nowMs();
    if (!this.known) this.learn(nowMs);
    else if (isBroken || nowMs - this.notedMs >= NOTE_MS) this.note(nowMs);
  }

  private space(): string {
    const { identity, known, parts } = this;
    return identity !== null && parts.tier.up && (known || parts.view.head === null) ? spaceOf(identity) : '';
  }

  private learn(nowMs: number): void {
    const chainId = this.parts.chainId();
    const node = this.parts.node();
    if (this.asking || chainId === null || node < 0 || nowMs - this.triedMs < RETRY_MS) return;
    this.asking = true;
    this.triedMs = nowMs;
    this.hashOf(node, 0, (genesis) => {
      const before = this.identity;
      if (genesis === '') this.asking = false;
      else if (before === null || before.chainId !== chainId || before.genesis !== genesis) this.adopt(chainId, genesis);
      else this.compare(node, before);
    });
  }

  /** The same genesis does not make the same chain: a development chain may have begun anew. */
  private compare(node: number, before: Identity): void {
    const { number, hash } = before.final;
    this.hashOf(node, number, (now) => {
      this.asking = false;
      if (now === '') return; // not there yet: the node may still be on its way
      if (now !== hash) void this.parts.tier.flush(spaceOf(before), {});
      this.adopt(before.chainId, before.genesis);
    });
  }

  private adopt(chainId: number, genesis: string): void {
    this.asking = false;
    this.known = true;
    this.identity = { chainId, genesis, final: { number: -1, hash: '' } };
    this.note(this.parts.clock.nowMs());
    for (const entry of this.early.splice(0)) this.put(entry);
  }

  private note(nowMs: number): void {
    const { identity, parts } = this;
    const { finalized } = parts.view;
    if (identity === null || finalized === null || finalized.number === identity.final.number) return;
    this.notedMs = nowMs;
    this.identity = { ...identity, final: { number: finalized.number, hash: finalized.hash } };
    parts.tier.setNote(parts.name, JSON.stringify(this.identity));
  }

  private hashOf(node: number, number: number, done: (hash: string) => void): void {
    this.parts.calls.ask('identity', node, ['eth_getBlockByNumber', `["0x${number.toString(16)}",false]`], (reply) => {
      const told = reply.kind === 'result' ? carriedBlock(reply.body, reply.start, 'block') : 'none';
      done(told !== 'none' && told !== 'bad' && told.number === number ? told.hash : '');
    });
  }
}

const spaceOf = ({ chainId, genesis }: Identity): string => `${chainId}/${genesis}`;

function readIdentity(text: string | null): Identity | null {
  if (text === null) return null;
  try {
    return JSON.parse(text) as Identity;
  } catch {
    return null;
  }
}
