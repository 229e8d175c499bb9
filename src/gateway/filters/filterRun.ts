import { Fault } from '../../base/fault.ts';
import { resultEnvelope } from '../../rpc/envelope.ts';
import type { CallAnswer } from '../callFacts.ts';
import type { ChainRuntime } from '../chain.ts';
import type { ServeContext } from '../context.ts';
import { LogsRun } from '../logs/logsRun.ts';
import { RunFrame } from '../logs/runFrame.ts';
import type { FrameFacts } from '../logs/runFrame.ts';
import type { FilterWord } from './desk.ts';

/** One call of a client about a filter. */
export class FilterRun {
  readonly mayChange = false;
  readonly raised = false;
  private readonly server: ServeContext;
  private readonly chain: ChainRuntime;
  private readonly facts: FrameFacts;
  private readonly frame: RunFrame;
  private logs: LogsRun | null = null;

  constructor(server: ServeContext, chain: ChainRuntime, facts: FrameFacts) {
    this.server = server;
    this.chain = chain;
    this.facts = facts;
    this.frame = new RunFrame(server, chain, facts);
  }

  /** @param done gets the answer exactly once, unless the call is abandoned; possibly before this returns */
  start(done: (answer: CallAnswer) => void): void {
    const { call, client } = this.facts;
    if (!this.frame.begin(done, () => this.logs?.abandon())) return;
    this.chain.filters.ask({ method: call.method, paramsRaw: call.paramsRaw, client: client.clientName }, (word) => {
      if (this.frame.live) this.take(word);
    });
  }

  /** The client is gone. */
  abandon(): void {
    this.frame.abandon();
  }

  private take(word: FilterWord): void {
    const { call, client } = this.facts;
    if (word.kind === 'fault') return this.frame.refuse(new Fault(word.fault, word.detail));
    if (word.kind === 'result') {
      const body = resultEnvelope(call.idRaw ?? 'null', Buffer.from(word.raw, 'utf8'));
      return this.frame.end({ status: 200, body, upstream: '', retryAfterS: 0, outcome: 'result', cache: 'bypass' });
    }
    // it has entered its client's limits already
    const own = { call: { ...call, method: 'eth_getLogs', paramsRaw: word.paramsRaw }, spec: this.chain.catalog.find('eth_getLogs') ?? this.facts.spec, client };
    this.logs = new LogsRun(this.server, this.chain, own, true);
    this.logs.start((answer) => this.frame.end(answer));
  }
}
