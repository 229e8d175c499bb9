import type { CorsOptions } from './limits.ts';
import type { EdgeAnswer, RequestHead } from './port.ts';

const EXPOSED = 'x-tidegate-upstream, x-tidegate-cache, x-tidegate-block, x-tidegate-explain, retry-after';
const NONE: readonly string[] = [];
// Field names and list separators of RFC 9110 section 5.6; anything else is not echoed.
const FIELD_NAMES = /^[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1024}$/;

/** Cross-origin rules of the Fetch standard, for one configured list of origins. */
export class Cors {
  readonly #any: boolean;
  readonly #maxAge: string;
  /** Ready answer headers by origin; under `*` for all. */
  readonly #headers = new Map<string, readonly string[]>();

  constructor(options: CorsOptions) {
    this.#any = options.origins.includes('*');
    this.#maxAge = String(options.maxAgeS);
    for (const origin of this.#any ? ['*'] : options.origins) {
      const vary = this.#any ? [] : ['vary', 'origin'];
      this.#headers.set(origin, [
        'access-control-allow-origin', origin, 'access-control-expose-headers', EXPOSED, ...vary,
      ]);
    }
  }

  /** Whether a page of this origin may call; '' (no browser) may. */
  allows(origin: string): boolean {
    return origin === '' || this.#any || this.#headers.has(origin);
  }

  /** Headers that an answer to this origin carries. */
  headers(origin: string): readonly string[] {
    if (origin === '') return NONE;
    return this.#headers.get(this.#any ? '*' : origin) ?? NONE;
  }

  /** Answer to OPTIONS; the origin's own headers are added when it is sent. */
  preflight(head: RequestHead): EdgeAnswer {
    const headers = ['allow', 'POST, OPTIONS'];
    if (head.header('access-control-request-method') !== '') {
      const asked = head.header('access-control-request-headers');
      headers.push('access-control-allow-methods', 'POST', 'access-control-max-age', this.#maxAge);
      headers.push('access-control-allow-headers', FIELD_NAMES.test(asked) ? asked : 'content-type');
      headers.push('vary', 'access-control-request-headers');
    }
    return { status: 204, headers, body: '' };
  }
}
