import type { Fault } from '../base/fault.ts';
import type { EdgeAnswer } from '../edge/port.ts';
import { errorEnvelope } from '../rpc/envelope.ts';

const json = 'content-type';
const jsonType = 'application/json';

/** Headers of an answer that no upstream had a part in. */
const plainHeaders: readonly string[] = [json, jsonType];

/** Ready headers per upstream name and cache verdict, so that an answer allocates none. */
export class HeaderBook {
  private readonly byName = new Map<string, readonly string[]>();

  /**
   * @param upstream name of the node that answered, or '' when several or none did
   * @param retryAfterS seconds after which asking again makes sense; 0 = nothing is said
   */
  headers(upstream: string, retryAfterS = 0): readonly string[] {
    const ready = this.ready(upstream);
    return retryAfterS > 0 ? [...ready, 'retry-after', String(Math.ceil(retryAfterS))] : ready;
  }

  private ready(upstream: string): readonly string[] {
    const known = this.byName.get(upstream);
    if (known !== undefined) return known;
    const made =
      upstream === ''
        ? [json, jsonType, 'x-tidegate-cache', 'bypass']
        : [json, jsonType, 'x-tidegate-upstream', upstream, 'x-tidegate-cache', 'bypass'];
    this.byName.set(upstream, made);
    return made;
  }
}

/** The whole HTTP answer of a fault: status of the table, JSON-RPC error body, `retry-after` where it has one. */
export function faultAnswer(fault: Fault, idRaw: string): EdgeAnswer {
  const retryAfterS = fault.retryAfterS;
  const headers = retryAfterS > 0 ? [...plainHeaders, 'retry-after', String(Math.ceil(retryAfterS))] : plainHeaders;
  return { status: fault.spec.status, headers, body: errorEnvelope(idRaw, fault) };
}

/** Notifications only: nothing to say. */
export const noContent: EdgeAnswer = { status: 204, headers: [], body: '' };
