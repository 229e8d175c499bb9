import type { Fault } from '../base/fault.ts';
import type { EdgeAnswer } from '../edge/port.ts';
import type { CacheVerdict } from './cacheVerdict.ts';
import { errorEnvelope } from '../rpc/envelope.ts';

const json = 'content-type';
const jsonType = 'application/json';

/** Headers of an answer that no upstream had a part in. */
const plainHeaders: readonly string[] = [json, jsonType];

type Ready = Readonly<Record<CacheVerdict, Map<string, readonly string[]>>>;

const fresh = (): Ready => ({ hit: new Map(), miss: new Map(), coalesced: new Map(), bypass: new Map() });

/** Ready headers per upstream name and cache verdict at one head, so that most answers allocate none. */
export class HeaderBook {
  private byVerdict = fresh();
  private block = '';

  /**
   * @param upstream name of the node that answered, or '' when several or none did
   * @param cache what the cache had to do with the answer
   * @param block `number:hash` that the answer is seen from, or ''
   * @param retryAfterS seconds after which asking again makes sense; 0 = nothing is said
   */
  headers(upstream: string, cache: CacheVerdict, block: string, retryAfterS = 0): readonly string[] {
    if (block !== this.block) {
      this.byVerdict = fresh();
      this.block = block;
    }
    const ready = this.ready(upstream, cache);
    return retryAfterS > 0 ? [...ready, 'retry-after', String(Math.ceil(retryAfterS))] : ready;
  }

  private ready(upstream: string, cache: CacheVerdict): readonly string[] {
    const known = this.byVerdict[cache].get(upstream);
    if (known !== undefined) return known;
    const made = [json, jsonType];
    if (upstream !== '') made.push('x-tidegate-upstream', upstream);
    made.push('x-tidegate-cache', cache);
    if (this.block !== '') made.push('x-tidegate-block', this.block);
    this.byVerdict[cache].set(upstream, made);
    return made;
  }
}

/** The whole HTTP answer of a fault: status of the table, JSON-RPC error body, `retry-after` where it has one. */
export function faultAnswer(fault: Fault, idRaw: string, block = ''): EdgeAnswer {
  const headers = [...plainHeaders];
  if (block !== '') headers.push('x-tidegate-block', block);
  if (fault.retryAfterS > 0) headers.push('retry-after', String(Math.ceil(fault.retryAfterS)));
  return { status: fault.spec.status, headers, body: errorEnvelope(idRaw, fault) };
}

/** Notifications only: nothing to say. */
export const noContent: EdgeAnswer = { status: 204, headers: [], body: '' };
