import { createHash, timingSafeEqual } from 'node:crypto';
import { MethodSet } from '../chain/access.ts';
import type { AccessKeyConfig } from '../config/schema.ts';
import type { RequestHead } from '../edge/port.ts';
import { Meter } from '../route/admission.ts';
import type { KeyRules } from '../route/admission.ts';

/** No key is longer; more is not even hashed. */
const MAX_KEY_CHARS = 512;

/** The keys of clients, by the SHA-256 of each. The keys themselves are not kept. */
export class KeyRing {
  private readonly entries: readonly { readonly hash: Buffer; readonly rules: KeyRules }[];

  constructor(keys: readonly AccessKeyConfig[]) {
    this.entries = keys.map((key) => ({ hash: Buffer.from(key.sha256, 'hex'), rules: rulesOf(key) }));
  }

  /** The rules of a key as its client shows it. All keys are compared, so that the time tells nothing of which one fits. */
  find(key: string): KeyRules | null {
    if (key === '' || key.length > MAX_KEY_CHARS || this.entries.length === 0) return null;
    const hash = createHash('sha256').update(key).digest();
    let found: KeyRules | null = null;
    for (const entry of this.entries) if (timingSafeEqual(hash, entry.hash)) found = entry.rules;
    return found;
  }
}

function rulesOf({ name, chains, methods, rate, maxInFlight, explain }: AccessKeyConfig): KeyRules {
  return {
    name,
    chains: new Set(chains),
    allow: new MethodSet(methods.allow),
    deny: new MethodSet(methods.deny),
    meter: new Meter({ ratePerS: rate.unitsPerS, burst: rate.burst, maxInFlight }),
    explains: explain,
  };
}

/** The key in a request's header: `x-api-key`, else `Authorization: Bearer`; '' = none. */
export function headerKey(head: RequestHead): string {
  const own = head.header('x-api-key').trim();
  if (own !== '') return own;
  const bearer = /^bearer +(\S+) *$/i.exec(head.header('authorization'));
  return bearer?.[1] ?? '';
}
