/** Tells when a chain that starts can serve, or has probed each of its nodes in vain. */
export class FirstLook {
  /** Resolves then: within the timeout of one probe. */
  readonly over: Promise<void>;
  private readonly probed = new Set<number>();
  private end: () => void = () => undefined;

  constructor() {
    this.over = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  /** The node has answered a probe, or failed it. */
  onProbed(index: number): void {
    this.probed.add(index);
  }

  /** The route table is up to date with all probes so far. @param nodes how many the chain has */
  onTable(ready: boolean, nodes: number): void {
    if (ready || this.probed.size >= nodes) this.end();
  }
}
