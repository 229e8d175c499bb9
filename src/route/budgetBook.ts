import { TunedRate } from './tunedRate.ts';

/** How much one node may be asked. */
export interface BudgetOptions {
  /** Calls per second; 0 = no limit. */
  readonly callsPerS: number;
  /** Units of the methods' weights per second; 0 = no limit. */
  readonly weightPerS: number;
  /** Most that can be saved up, in calls, or in weight where only that is limited; 0 = those of a tenth of a second, at least 1. */
  readonly burst: number;
  /** Whether the node's 429s lower it for a while. */
  readonly tune: boolean;
}

/** A node's budget, for people. */
export interface BudgetFacts {
  /** Calls per second that it gets now; 0 = not limited. */
  readonly callsPerS: number;
  /** Weight per second that it gets now; 0 = not limited. */
  readonly weightPerS: number;
  /** Times that it was passed over for it. */
  readonly passed: number;
}

class NodeBudget {
  readonly options: BudgetOptions;
  readonly share: number;
  readonly calls: TunedRate | null;
  readonly weight: TunedRate | null;
  passed = 0;

  constructor(options: BudgetOptions, share: number) {
    const { callsPerS, weightPerS, burst, tune } = options;
    this.options = options;
    this.share = share;
    const burstS = burst / (callsPerS > 0 ? callsPerS : weightPerS > 0 ? weightPerS : 1);
    const rateOf = (perS: number): TunedRate => new TunedRate({ maxPerS: perS * share, burst: perS * share * burstS, tune });
    this.weight = weightPerS > 0 ? rateOf(weightPerS) : null;
    // 429s teach a rate where the config gives none
    this.calls = callsPerS > 0 || (this.weight === null && tune) ? rateOf(callsPerS) : null;
  }

  waitMs(weight: number, nowMs: number): number {
    const callMs = this.calls === null ? 0 : this.calls.waitMs(1, nowMs);
    return this.weight === null ? callMs : Math.max(callMs, this.weight.waitMs(weight, nowMs));
  }
}

/**
 * The budgets of a chain's nodes, by `RouteEntry.index`, as this process spends them. What the config allows is kept by
 * all first sends; retries may overdraw it by one burst, and probes are charged without being asked.
 */
export class BudgetBook {
  private readonly nodes: (NodeBudget | undefined)[] = [];
  /** Node that a call has paid for already; -1 = none. */
  private paid = -1;

  /** @param share part of the budget that is this process's, above 0 to 1 */
  configure(index: number, options: BudgetOptions, share = 1): void {
    const known = this.nodes[index];
    if (known?.share === share && JSON.stringify(known.options) === JSON.stringify(options)) return;
    const next = new NodeBudget(options, share);
    next.passed = known?.passed ?? 0;
    this.nodes[index] = next.calls === null && next.weight === null ? undefined : next;
  }

  remove(index: number): void {
    this.nodes[index] = undefined;
  }

  /** Whether a call of this weight fits into the node's budget now. */
  hasRoom(index: number, weight: number, nowMs: number): boolean {
    const node = this.nodes[index];
    return node === undefined || index === this.paid || node.waitMs(weight, nowMs) <= 0;
  }

  /** Ms until `hasRoom`; 0 = now. */
  waitMs(index: number, weight: number, nowMs: number): number {
    return index === this.paid ? 0 : (this.nodes[index]?.waitMs(weight, nowMs) ?? 0);
  }

  /** Whether the config forbids a first send of this weight now; a budget that 429s taught forbids nothing. */
  isSpent(index: number, weight: number, nowMs: number): boolean {
    const node = this.nodes[index];
    if (node === undefined || index === this.paid) return false;
    return node.calls?.isSpent(1, nowMs) === true || node.weight?.isSpent(weight, nowMs) === true;
  }

  /** Whether a retry may go there although there is no room. */
  mayOverdraw(index: number, nowMs: number): boolean {
    const node = this.nodes[index];
    return node?.calls?.isDeep(nowMs) !== true && node?.weight?.isDeep(nowMs) !== true;
  }

  /** Something of this weight is sent to the node. @param calls how many calls it is */
  charge(index: number, weight: number, nowMs: number, calls = 1): void {
    const node = this.nodes[index];
    node?.calls?.charge(calls, nowMs);
    node?.weight?.charge(weight, nowMs);
  }

  /** What was charged was not sent after all. */
  refund(index: number, weight: number, nowMs: number): void {
    const node = this.nodes[index];
    node?.calls?.refund(1, nowMs);
    node?.weight?.refund(weight, nowMs);
  }

  /** Probes go out whatever the budget; one that owes a burst is not charged on, or it would never serve. */
  onProbe(index: number, calls: number, nowMs: number): void {
    if (this.mayOverdraw(index, nowMs)) this.charge(index, calls, nowMs, calls);
  }

  /** The node said 429 to a call of this weight. */
  onThrottled(index: number, weight: number, nowMs: number): void {
    const node = this.nodes[index];
    node?.calls?.onThrottled(1, nowMs);
    node?.weight?.onThrottled(weight, nowMs);
  }

  onPassed(index: number): void {
    const node = this.nodes[index];
    if (node !== undefined) node.passed++;
  }

  /** Until the next `pay`, the node has room for what is asked: it was charged when the call began to wait. -1 = none. */
  pay(index: number): void {
    this.paid = index;
  }

  facts(index: number, nowMs: number): BudgetFacts {
    const node = this.nodes[index];
    return { callsPerS: node?.calls?.perS(nowMs) ?? 0, weightPerS: node?.weight?.perS(nowMs) ?? 0, passed: node?.passed ?? 0 };
  }
}
