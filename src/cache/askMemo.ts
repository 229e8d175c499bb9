import type { ChainView } from '../chain/view.ts';
import type { Plan } from './plan.ts';
import type { CallAsk } from './rule.ts';

/**
 * What was made of calls with the very same params at one view of the chain: hot calls are keyed once per head. It knows
 * a call by the bytes of its params, which have been read in full the first time.
 */
export class AskMemo {
  /** Calls that are remembered at one head; then it begins anew. */
  maxCalls: number;
  private of: ChainView | null = null;
  private readonly calls = new Map<Plan, Map<string, CallAsk>>();
  private size = 0;

  constructor(maxCalls: number) {
    this.maxCalls = maxCalls;
  }

  /** @param view an object that stands for one moment: another one forgets all */
  get(plan: Plan, paramsRaw: string, view: ChainView): CallAsk | undefined {
    return this.of === view ? this.calls.get(plan)?.get(paramsRaw) : undefined;
  }

  /** @param paramsRaw a text that keeps no longer one alive */
  put(ask: CallAsk, paramsRaw: string, view: ChainView): void {
    if (this.of !== view || this.size >= this.maxCalls) this.clear();
    if (this.maxCalls === 0) return;
    this.of = view;
    this.size++;
    const calls = this.calls.get(ask.plan);
    if (calls === undefined) this.calls.set(ask.plan, new Map([[paramsRaw, ask]]));
    else calls.set(paramsRaw, ask);
  }

  clear(): void {
    this.calls.clear();
    this.size = 0;
  }
}
