import type { LogsCall } from '../../observe/metricTable.ts';
import type { ChainRuntime } from '../chain.ts';
import type { ServeContext } from '../context.ts';
import { InnerCall } from '../inner.ts';
import { PLAIN } from '../innerPort.ts';
import type { BlockAsker } from './host.ts';

/** Asks about blocks through the same routing and attempts as for clients. */
export class BlockAsk implements BlockAsker {
  private readonly server: ServeContext;
  private readonly chain: ChainRuntime;

  constructor(server: ServeContext, chain: ChainRuntime) {
    this.server = server;
    this.chain = chain;
  }

  async ask(kind: LogsCall, [method, paramsRaw]: readonly [method: string, paramsRaw: string], take: (value: unknown, node: number) => boolean): Promise<void> {
    const { logs, metrics, tip } = this.chain;
    await logs.slots.take();
    metrics.logs.calls.add(kind);
    const call = new InnerCall(this.server, this.chain, { method, paramsRaw, vantage: tip.now() }, {
      ...PLAIN,
      accepts: ({ upstreamIndex }, { body, split, isNull }) => {
        // the attempts know what to make of a null
        if (isNull || take(JSON.parse(body.toString('utf8', split.start, split.end)), upstreamIndex)) return true;
        metrics.logs.doubts.add();
        return false;
      },
    });
    await call.run();
    logs.slots.give();
  }

  rest(ms: number): Promise<void> {
    return new Promise((resolve) => void this.server.parts.world.timers.after(ms, resolve));
  }
}
