import { Fault } from '../base/fault.ts';
import { CallRun } from './callRun.ts';
import type { CallAnswer } from './callFacts.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client, ServeContext } from './context.ts';
import type { Inner } from './innerPort.ts';
import type { Vantage } from './vantage.ts';

/** What is asked. */
export interface InnerAsk {
  readonly method: string;
  readonly paramsRaw: string;
  readonly vantage: Vantage;
}

/** A call of our own through the same routing, attempts, budgets and judgement as a client's; not counted as one. */
export class InnerCall {
  private readonly call: CallRun;
  private done: ((answer: CallAnswer | null) => void) | null = null;

  constructor(server: ServeContext, chain: ChainRuntime, ask: InnerAsk, inner: Inner) {
    const { method, paramsRaw, vantage } = ask;
    const subscription = (): Fault => new Fault('internal');
    const client: Client = { clientName: '', grant: null, noCache: true, trace: null, inBatch: true, subscription, vantage, inner };
    this.call = new CallRun(server, chain, { idRaw: '0', method, paramsRaw, fault: null }, client);
  }

  /** @returns the answer; null once it was given up */
  run(): Promise<CallAnswer | null> {
    return new Promise((resolve) => {
      this.done = resolve;
      this.call.start((answer) => this.end(answer));
    });
  }

  abandon(): void {
    this.call.abandon();
    this.end(null);
  }

  private end(answer: CallAnswer | null): void {
    const { done } = this;
    this.done = null;
    done?.(answer);
  }
}
