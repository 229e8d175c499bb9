import { isTarget } from '../cache/derive/targets.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { CacheFacts } from '../route/explanation.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import type { ChainRuntime } from './chain.ts';

const WORDS: Readonly<Record<string, string>> = {
  static: 'for as long as the process runs',
  finalized: 'until it is crowded out: its block is final',
  unfinalized: 'until its block is replaced',
  head: 'until the next head, at most two block times',
};

/** What the cache would do with a call now. Counts nothing. `stored` tells of this process alone: each worker has a memory of its own. */
export function cacheFacts(chain: ChainRuntime, spec: MethodSpec, call: ScannedCall): CacheFacts {
  const { cache } = chain;
  if (!cache.enabled) return { class: null, block: -1, stored: false, words: 'cache.enabled is false: nothing is looked up or stored' };
  const vantage = chain.tip.now();
  const ask = cache.ask(call, spec, vantage);
  if (ask === null) return { class: 'never', block: -1, stored: false, words: 'the answer to such a call is never stored' };
  const stored = cache.holds(ask, vantage);
  const kept = WORDS[ask.class] ?? '';
  const words = stored ? `answered from memory; stored ${kept}` : `not stored here; a node's answer is stored, where it is proven to be of the trusted chain, ${kept}`;
  return { class: ask.class, block: ask.number, stored, words: words + derivedWords(chain, call.method) };
}

/** What samples have shown of answers to such calls that are made of other stored answers. */
function derivedWords({ cache, config }: ChainRuntime, method: string): string {
  if (config.cache.derive.mode === 'off' || !isTarget(method)) return '';
  const { samples } = config.cache.derive;
  const lines = cache.deriver.proofs.lines().filter(({ target }) => target === method);
  const told = lines.map(({ source, client, state, same }) => `from ${source} of ${client} ${state === 'open' ? `not yet (${same} of ${samples} samples)` : state}`);
  return `; derived ${told.length === 0 ? 'from no other answer yet' : told.join(', ')}`;
}
