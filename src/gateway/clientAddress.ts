import { cidrContains, parseCidr } from '../config/cidr.ts';
import type { Cidr } from '../config/cidr.ts';
import type { RequestHead } from '../edge/port.ts';

/**
 * Tells a client's address. `X-Forwarded-For` counts only when the peer is a listed proxy: then it is the last entry that
 * is not one of the listed proxies itself, for everything before it is the client's own word.
 */
export class ClientAddress {
  private readonly proxies: readonly Cidr[];

  /** @param trustedProxies address ranges as the config has them; what is no range was refused there */
  constructor(trustedProxies: readonly string[]) {
    this.proxies = trustedProxies.map(parseCidr).filter((range) => range !== null);
  }

  /** False when the peer's address is all that counts. */
  get needsHead(): boolean {
    return this.proxies.length > 0;
  }

  of(head: RequestHead): string {
    const peer = head.remoteAddress();
    if (this.proxies.length === 0 || !this.isProxy(peer)) return peer;
    const hops = head.header('x-forwarded-for').split(',');
    let address = peer;
    for (let i = hops.length - 1; i >= 0; i--) {
      const hop = (hops[i] as string).trim();
      if (hop === '') break;
      address = hop;
      if (!this.isProxy(hop)) break;
    }
    return address;
  }

  private isProxy(address: string): boolean {
    return this.proxies.some((range) => cidrContains(range, address));
  }
}
