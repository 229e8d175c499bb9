/** Which chain a request path names: `/` is the first chain, `/<name>`, `/evm/<chainId>`. */
export class Paths<T> {
  private readonly byPath = new Map<string, T>();

  /** Forgets all and learns these, in config order. `chainId` null = not known yet. */
  set(chains: readonly { readonly name: string; readonly chainId: number | null; readonly target: T }[]): void {
    this.byPath.clear();
    for (const chain of chains) {
      if (this.byPath.size === 0) this.byPath.set('/', chain.target);
      this.byPath.set(`/${chain.name}`, chain.target);
      if (chain.chainId !== null && !this.byPath.has(`/evm/${chain.chainId}`)) {
        this.byPath.set(`/evm/${chain.chainId}`, chain.target);
      }
    }
  }

  /** The chain of a path; a trailing slash is the same path. */
  find(path: string): T | undefined {
    const found = this.byPath.get(path);
    if (found !== undefined || path.length < 2 || !path.endsWith('/')) return found;
    return this.byPath.get(path.slice(0, -1));
  }
}
