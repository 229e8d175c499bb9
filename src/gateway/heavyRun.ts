import { Fault } from '../base/fault.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import type { CallAnswer } from './callFacts.ts';
import { CallRun } from './callRun.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client, ServeContext } from './context.ts';
import { RunFrame } from './logs/runFrame.ts';

/** A trace or debug call: it waits its turn in slots of its own, so that such calls cannot crowd out light ones. */
export class HeavyRun {
  private readonly server: ServeContext;
  private readonly chain: ChainRuntime;
  /** The call until its turn has come. */
  private readonly frame: RunFrame;
  private readonly begin: () => CallRun;
  private run: CallRun | null = null;
  /** Gives its slot back, once. */
  private free: () => void = () => undefined;

  constructor(server: ServeContext, chain: ChainRuntime, [call, spec]: readonly [ScannedCall, MethodSpec], client: Client) {
    this.chain = chain;
    this.frame = new RunFrame(server, chain, { call, spec, client }, true);
    this.server = server;
    this.begin = () => new CallRun(server, chain, call, client);
  }

  get mayChange(): boolean {
    return this.run?.mayChange === true;
  }

  get raised(): boolean {
    return this.run?.raised === true;
  }

  /** @param done gets the answer exactly once, unless the call is abandoned; possibly before this returns */
  start(done: (answer: CallAnswer) => void): void {
    const { heavy } = this.chain;
    const { heavy: { maxWaiting }, deadlineMs } = this.chain.config.routing;
    if (!heavy.isFull) {
      void heavy.take();
      return this.go(done);
    }
    this.frame.begin(done, () => undefined);
    if (heavy.waiting >= maxWaiting) return this.refuse(new Fault('overloaded', `${maxWaiting} traces and debug calls wait`));
    const timer = this.server.parts.world.timers.after(deadlineMs, () => this.refuse(new Fault('deadline')));
    void heavy.take().then(() => {
      timer.cancel();
      if (!this.frame.live) return heavy.give();
      this.frame.leave();
      this.go(done);
    });
  }

  /** The client is gone: nobody waits for the answer any more. */
  abandon(): void {
    if (this.run === null) return this.frame.abandon();
    this.run.abandon();
    this.free();
  }

  private refuse(fault: Fault): void {
    if (this.frame.live) this.server.parts.metrics.onRefusal(fault.spec.kind);
    this.frame.refuse(fault);
  }

  private go(done: (answer: CallAnswer) => void): void {
    this.free = () => {
      this.free = () => undefined;
      this.chain.heavy.give();
    };
    this.run = this.begin();
    this.run.start((answer) => {
      if (answer.flow === undefined) this.free();
      else answer.flow.hold(this.free);
      done(answer);
    });
  }
}
