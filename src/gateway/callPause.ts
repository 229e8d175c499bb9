import type { TimerHandle } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import type { FaultKind } from '../base/fault.ts';
import { addressOf } from '../chain/blockref.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import type { CallView } from './callView.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client } from './context.ts';
import type { CallServer } from './nodeCall.ts';

/** How often a call begins anew because the trusted chain changed under it. */
const MAX_RERUNS = 3;

/** The call that pauses. */
export interface Pausable {
  readonly chain: ChainRuntime;
  readonly server: CallServer;
  readonly call: ScannedCall;
  readonly spec: MethodSpec;
  readonly client: Client;
  readonly live: boolean;
  readonly startedMs: number;
  /** Looks at the chain and goes on from there. */
  approach(): void;
  refuse(fault: Fault): void;
}

const notAtHead = (): Fault => new Fault('notAtHead', '', null, 1);

/** The waits of one call for the trusted chain, while no node is asked, and its new beginnings. */
export class CallPause {
  private readonly run: Pausable;
  private wait: TimerHandle | null = null;
  private reruns = 0;
  /** Until when it waits for a place at a node; -1 = it never had to. */
  private roomUntilMs = -1;

  constructor(run: Pausable) {
    this.run = run;
  }

  /** Ends a wait; false where there is none. */
  cancel(): boolean {
    if (this.wait === null) return false;
    this.wait.cancel();
    this.wait = null;
    return true;
  }

  /** Some node has told of the block that is asked for: the trusted head will get there. Goes on in any case. */
  forHeight(view: CallView, then: () => void): void {
    const { chain, client } = this.run;
    this.until(() => (chain.view.head?.number ?? -1) >= view.sight.ahead, () => {
      if (!client.inBatch) client.vantage = chain.tip.now();
      then();
    });
  }

  /** Transactions have just gone out, here or through another process, whose senders are not known yet: one may be of the account that is asked for. */
  forSends(view: CallView, then: (view: CallView) => void): void {
    const { run } = this;
    const { clock } = run.server.parts.world;
    run.chain.sends.whenKnown(addressOf(run.spec, run.call.paramsRaw), () => clock.nowMs(), () => {
      if (run.live) then(view);
    });
  }

  /** No node that could take the call is where its client's chain is. */
  forNode(view: CallView): void {
    const { chain } = this.run;
    const isThere = (): boolean => chain.table.serving.some((index) => view.stands(chain.table.entries[index]));
    if (isThere()) return this.run.refuse(notAtHead());
    this.until(isThere, (reached) => (reached ? this.run.approach() : this.run.refuse(notAtHead())));
  }

  /** Every node that could take the call has as many as it may. False when the call has waited long enough for one of them to end. */
  forRoom(): boolean {
    const { chain, server, startedMs } = this.run;
    const { budgetWaitMs, deadlineMs } = chain.config.routing;
    const nowMs = server.parts.world.clock.nowMs();
    if (this.roomUntilMs < 0) this.roomUntilMs = Math.min(nowMs + budgetWaitMs, startedMs + deadlineMs);
    if (nowMs >= this.roomUntilMs) return false;
    this.wait = chain.room.wait(this.roomUntilMs - nowMs, () => {
      this.wait = null;
      if (this.run.live) this.run.approach();
    });
    return true;
  }

  /** Whether the nodes that have a head which is not trusted yet have all failed: others will have it soon. */
  isForRace(fault: FaultKind): boolean {
    return this.run.client.vantage.raced !== '' && fault !== 'methodUnsupported' && fault !== 'deadline';
  }

  /** Whatever the nodes answered is of another branch than the trusted one: one of the two is about to change. */
  forBranch(): void {
    const { chain, client } = this.run;
    const { text, raced, number, epoch } = client.vantage;
    const hasMoved = (): boolean => {
      const now = chain.tip.now();
      return raced === '' ? now.text !== text : now.number >= number || now.epoch !== epoch;
    };
    this.until(hasMoved, (moved) => (moved && this.mayRerun ? this.rerun() : this.run.refuse(notAtHead())));
  }

  /** A batch is begun anew as a whole, never one of its calls. */
  get mayRerun(): boolean {
    return !this.run.client.inBatch && this.reruns < MAX_RERUNS;
  }

  /** Begins the call anew on the chain as it is now, once whoever calls this is done. */
  rerun(): void {
    const { chain, client } = this.run;
    this.reruns++;
    client.vantage = chain.tip.now();
    chain.metrics.view.onEvent('begun_anew');
    queueMicrotask(() => {
      if (this.run.live) this.run.approach();
    });
  }

  private until(holds: () => boolean, then: (reached: boolean) => void): void {
    const { chain } = this.run;
    this.wait = chain.tip.wait(holds, chain.config.view.maxWaitMs, (reached) => {
      this.wait = null;
      if (this.run.live) then(reached);
    });
  }
}
