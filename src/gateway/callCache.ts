import type { CallAsk } from '../cache/rule.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { AttemptResult } from '../route/attemptPort.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import type { AttemptSink, NodeAnswer } from './attemptSink.ts';
import type { CacheKeep } from './cacheKeep.ts';
import { changesChain, storedAnswer } from './cacheStep.ts';
import type { CacheVerdict } from './cacheVerdict.ts';
import type { CallAnswer } from './callFacts.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client } from './context.ts';

/** The call that stored answers are looked up for. */
export interface Cachable {
  readonly chain: ChainRuntime;
  readonly call: ScannedCall;
  readonly client: Client;
  readonly spec: MethodSpec;
}

type Reply = Extract<AttemptResult<NodeAnswer>, { kind: 'reply' }>;

/** What the cache has to do with one call: looks its answer up, words its requests so that the answer can be stored, stores it. */
export class CallCache {
  private readonly run: Cachable;
  private ask: CallAsk | null = null;
  private keep: CacheKeep | null = null;
  private tried = false;

  constructor(run: Cachable) {
    this.run = run;
  }

  /** It was looked up before the call began, in vain. */
  tell(ask: CallAsk): void {
    this.ask = ask;
    this.tried = true;
  }

  /** Whether the answer could be another one on another branch, or at another head. */
  get mayChange(): boolean {
    return this.ask?.class === 'head' || this.ask?.class === 'unfinalized';
  }

  /** The call as keyed, where it was. */
  get resolved(): CallAsk | null {
    return this.ask;
  }

  /** Whether the answer may be stored. */
  get mayStore(): boolean {
    return this.keep !== null;
  }

  get verdict(): CacheVerdict {
    return this.keep === null ? 'bypass' : 'miss';
  }

  /** The stored answer by the chain as the client sees it now, or null. */
  lookUp(): CallAnswer | null {
    const { chain, call, client, spec } = this.run;
    // what is kept is of the trusted chain
    if (client.noCache || client.vantage.raced !== '') return null;
    if (!this.tried) this.ask = chain.cache.ask(call, spec, client.vantage);
    const answer = this.tried || this.ask === null ? null : storedAnswer(chain, this.ask, call, client);
    this.tried = false;
    this.keep = this.ask === null ? null : chain.cache.keep(this.ask);
    return answer;
  }

  /** The params for an attempt, where they matter; else null. */
  paramsFor({ attempt, upstreamIndex }: AttemptSink): string | null {
    return this.keep?.paramsFor(attempt, upstreamIndex, this.run.call.paramsRaw) ?? null;
  }

  /** The client gets this answer. */
  store({ upstreamIndex, reply, outcome }: Reply, sinks: readonly AttemptSink[]): void {
    const sink = this.keep === null || reply.large !== undefined ? undefined : sinks.find(({ answer }) => answer === reply);
    if (sink !== undefined) this.keep?.settle(sink.attempt, upstreamIndex, reply, outcome);
  }

  /** Before a call that may change the chain is sent, and after it has ended. */
  flushIfChanged(): void {
    const { chain, call, spec } = this.run;
    if (!changesChain(spec, call.method)) return;
    chain.onFlush({});
    chain.judging.onFlush({});
  }
}
