import { Fault } from '../base/fault.ts';
import { parseAddress } from '../config/cidr.ts';
import type { AccessConfig } from '../config/schema.ts';
import type { RequestHead } from '../edge/port.ts';
import { Grant, opensChain, PeerMeters } from '../route/admission.ts';
import type { KeyRules } from '../route/admission.ts';
import { headerKey, KeyRing } from './keyRing.ts';
import type { Paths } from './paths.ts';

/** A request that was let in. */
export interface Entry<Chain> {
  readonly chain: Chain;
  /** Name of its key; '' without one. */
  readonly keyName: string;
  readonly grant: Grant;
  /** Its key may be told the way of a live call. */
  readonly explains: boolean;
}

/** Who may call at all: keys, their chains, and whose limits the calls count against. */
export class Gate<Chain extends { readonly name: string }> {
  private readonly ring: KeyRing;
  private readonly required: boolean;
  private readonly peers: PeerMeters | null;
  private readonly paths: Paths<Chain>;
  private readonly addressOf: (head: RequestHead) => string;

  private constructor(access: AccessConfig, paths: Paths<Chain>, addressOf: (head: RequestHead) => string) {
    const { callsPerS, burst, maxInFlight, maxTracked } = access.perIp;
    const isLimited = callsPerS > 0 || maxInFlight > 0;
    this.ring = new KeyRing(access.keys);
    this.required = access.required;
    this.peers = isLimited ? new PeerMeters({ ratePerS: callsPerS, burst, maxInFlight }, maxTracked) : null;
    this.paths = paths;
    this.addressOf = addressOf;
  }

  /**
   * The gate that the config asks for; null where everybody may call without limits.
   * @param addressOf tells a client's address
   */
  static of<Chain extends { readonly name: string }>(
    access: AccessConfig,
    paths: Paths<Chain>,
    addressOf: (head: RequestHead) => string,
  ): Gate<Chain> | null {
    const { callsPerS, maxInFlight } = access.perIp;
    const isOpen = !access.required && access.keys.length === 0 && callsPerS === 0 && maxInFlight === 0;
    return isOpen ? null : new Gate(access, paths, addressOf);
  }

  /** Finds a request's chain and what it may do there. A key that is unknown counts as none. */
  admit(head: RequestHead): Entry<Chain> | Fault {
    const whole = this.paths.find(head.path);
    const split = whole === undefined ? splitPath(head.path) : null;
    const key = this.ring.find(split === null ? headerKey(head) : split.key);
    if (key === null && this.required) return new Fault('unauthorized');
    const chain = split === null ? whole : key === null ? undefined : this.paths.find(split.path);
    if (chain === undefined) return new Fault('notFound');
    if (key !== null && !opensChain(key, chain.name)) return new Fault('forbidden');
    return { chain, keyName: key?.name ?? '', grant: this.grant(key, head), explains: key?.explains === true };
  }

  private grant(key: KeyRules | null, head: RequestHead): Grant {
    return new Grant(key, this.peers === null ? null : this.peers.of(networkOf(this.addressOf(head))));
  }
}

/** `/main/k` as `/main` and `k`, `/k` as `/` and `k`; a trailing slash is the same path. */
function splitPath(path: string): { readonly path: string; readonly key: string } {
  const bare = path.endsWith('/') ? path.slice(0, -1) : path;
  const slash = bare.lastIndexOf('/');
  return { path: slash <= 0 ? '/' : bare.slice(0, slash), key: bare.slice(slash + 1) };
}

/** What a client is limited by: one IPv6 client has a whole /64 to itself. What is no address shares one name. */
export function networkOf(address: string): string {
  const parsed = parseAddress(address);
  if (parsed === null) return '';
  return parsed.bits === 32 ? parsed.value.toString(16) : `${(parsed.value >> 64n).toString(16)}/64`;
}
