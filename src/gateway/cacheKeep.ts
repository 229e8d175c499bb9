import type { Clock } from '../base/clock.ts';
import { admit } from '../cache/admit.ts';
import type { Evidence, Told, Verdict } from '../cache/admit.ts';
import { isVague, mayAskByHash, paramsByHash, paramsByNumber } from '../cache/byHash.ts';
import type { Entry } from '../cache/entry.ts';
import type { CallAsk } from '../cache/rule.ts';
import type { Outcome } from '../chain/outcome.ts';
import type { ChainView } from '../chain/view.ts';
import { ownValue } from '../rpc/envelope.ts';
import type { NodeAnswer } from './attemptSink.ts';
import type { Confirmer } from './confirmer.ts';
import type { HashSupport } from './hashSupport.ts';

/** The cache of a chain as a call that it could not answer sees it. */
export interface KeepHost {
  readonly view: ChainView;
  readonly clock: Clock;
  readonly confirmer: Confirmer;
  readonly hashes: HashSupport;
  readonly generation: number;
  agreed(index: number): number;
  fits(ask: CallAsk, valueBytes: number): boolean;
  put(entry: Entry): void;
  /** `web3_clientVersion` of a node, where it is to be noted with the answer; else ''. */
  clientFor(ask: CallAsk, index: number): string;
}

/** How one attempt was asked. */
interface Asked {
  readonly attempt: number;
  readonly generation: number;
  readonly askedMs: number;
  readonly byHash: boolean;
  readonly agreedBefore: number;
  readonly head: Evidence['head'];
  readonly client: string;
}

/** Methods whose revert is the chain's word about a block. */
const REVERTING = /^(eth_call|eth_estimateGas|eth_createAccessList|eth_getProof)$/;
const REVERT_CODE = 3;

/** One call that the cache could not answer: words its requests so that the answer can be stored, and stores it. */
export class CacheKeep {
  readonly ask: CallAsk;
  readonly #cache: KeepHost;
  readonly #asked: Asked[] = [];

  constructor(cache: KeepHost, ask: CallAsk) {
    this.#cache = cache;
    this.ask = ask;
  }

  /** The params for an attempt at a node, null where any wording will do; notes what is known of the node at this moment. */
  paramsFor(attempt: number, index: number, paramsRaw: string): string | null {
    const { ask } = this;
    const cache = this.#cache;
    const agreedBefore = cache.agreed(index);
    const stands = agreedBefore >= ask.number && ask.number >= 0;
    const byHash = stands && mayAskByHash(ask) && cache.hashes.has(index, agreedBefore);
    const { head } = cache.view;
    this.#asked.push({ attempt, generation: cache.generation, askedMs: cache.clock.nowMs(), byHash, agreedBefore, head, client: cache.clientFor(ask, index) });
    if (byHash) return paramsByHash(ask, paramsRaw);
    return stands && isVague(ask) ? paramsByNumber(ask, paramsRaw) : null;
  }

  /** The answer that the client gets, from this attempt. */
  settle(attempt: number, index: number, answer: NodeAnswer, outcome: Outcome): void {
    const asked = this.#asked.find((each) => each.attempt === attempt);
    const told = toldBy(answer, outcome, this.ask);
    const cache = this.#cache;
    if (asked === undefined || told === null || asked.generation !== cache.generation) return;
    if (!cache.fits(this.ask, told.end - told.start)) return;
    const { byHash, agreedBefore, head } = asked;
    const verdict = admit(this.ask, told, { byHash, agreedBefore, agreedAfter: cache.agreed(index), head }, cache.view);
    if (verdict.when === 'no') return;
    const value = ownValue(told.body, told.start, told.end);
    const { isError } = told;
    const client = cache.clientFor(this.ask, index) === asked.client ? asked.client : '';
    const store = (): void => this.#store(asked, { value, isError, ...(client === '' ? {} : { client }) }, verdict);
    if (verdict.when === 'now') store();
    else cache.confirmer.confirm(index, verdict.number, store);
  }

  #store(asked: Asked, told: Pick<Entry, 'value' | 'isError' | 'client'>, { bond, class: finality, number, hash }: Verdict): void {
    const cache = this.#cache;
    if (asked.generation !== cache.generation) return;
    if (bond === 'head' && cache.view.head?.hash !== hash) return;
    cache.put({ ...told, key: this.ask.key, bond, number, hash, askedMs: asked.askedMs, class: finality });
  }
}

/** What of an answer could be stored: results, and reverts. */
function toldBy({ body, split, isNull }: NodeAnswer, outcome: Outcome, { plan }: CallAsk): Told | null {
  const { start, end } = split;
  if (split.kind === 'result') return { body, start, end, isNull, isError: false };
  const isRevert = outcome.class === 'chain' && split.wellFormed && (split.code === REVERT_CODE || /^execution reverted/i.test(split.message));
  return isRevert && REVERTING.test(plan.method) ? { body, start, end, isNull: false, isError: true } : null;
}
