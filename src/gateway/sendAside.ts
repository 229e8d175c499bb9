import { nonceTooLow } from '../chain/errors/classify.ts';
import { addressOf } from '../chain/blockref.ts';
import type { AttemptResult } from '../route/attemptPort.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import type { NodeAnswer } from './attemptSink.ts';
import { localHash } from './callFacts.ts';
import type { CallView } from './callView.ts';
import type { ChainRuntime } from './chain.ts';
import type { ServeContext } from './context.ts';
import type { MethodSpec } from '../chain/method.ts';
import { NodeCall, resultText } from './nodeCall.ts';

export type Reply = Extract<AttemptResult<NodeAnswer>, { kind: 'reply' }>;
type Ending = Extract<AttemptResult<NodeAnswer>, { kind: 'reply' | 'fault' }>;

/** The call that something is seen to beside. */
export interface Accompanied {
  readonly chain: ChainRuntime;
  readonly server: ServeContext;
  readonly call: ScannedCall;
  readonly spec: MethodSpec;
  readonly live: boolean;
  readonly view: CallView | null;
  /** Ends the call as its nodes ended it. */
  conclude(result: Ending): void;
  /** Ends the call, under way or not, with a result of our own making: JSON. */
  answerWith(resultRaw: string, upstreamIndex: number): void;
}

const NEXT_NONCE = 'eth_getTransactionCount';
const SEND = 'eth_sendRawTransaction';

/** Whether calls of a method are seen to beside. */
export const isAccompanied = ({ name }: MethodSpec): boolean => name === NEXT_NONCE || name === SEND;

/** Nodes that are asked for a transaction whose nonce is said to be used. */
const MAX_SEARCHED = 2;

/**
 * What one call about a transaction needs beside its attempts: copies of a raw transaction at further nodes, a look for it
 * where its nonce is called used, and for a sender's next nonce a look whether its own last transaction is still there.
 */
export class SendAside {
  private readonly run: Accompanied;
  private copies = 0;
  private held: Ending | null = null;

  constructor(run: Accompanied) {
    this.run = run;
  }

  /** Sends copies of a raw transaction to the next nodes that are at the head. @param first the node that has it already */
  copy(candidates: Int32Array, count: number, first: number): void {
    const { chain, server, call, spec, view } = this.run;
    let left = spec.name === SEND ? chain.config.routing.broadcast - 1 : 0;
    for (let i = 0; i < count && left > 0; i++) {
      const upstreamIndex = candidates[i] as number;
      const entry = chain.table.entries[upstreamIndex];
      if (upstreamIndex === first || view?.stands(entry) !== true) continue;
      left--;
      this.copies++;
      new NodeCall(chain, server, { upstreamIndex, method: call.method, paramsRaw: call.paramsRaw }, (answer) => this.onCopy(upstreamIndex, answer));
    }
  }

  /** Whether the end of the call is taken over; then it comes by `conclude` or `answerWith`. */
  takes(result: Ending): boolean {
    const { spec, view } = this.run;
    if (view === null) return false;
    if (spec.name === NEXT_NONCE) return result.kind === 'reply' && this.checkNonce(result, view);
    if (spec.name !== SEND) return false;
    const isTaken = result.kind === 'reply' && result.outcome.class === 'result';
    if (isTaken) return false;
    if (this.copies === 0) return this.search(result);
    this.held = result;
    return true;
  }

  private onCopy(upstreamIndex: number, answer: NodeAnswer | null): void {
    const { chain, call, live } = this.run;
    this.copies--;
    const hash = acceptedHash(call, answer);
    chain.metrics.view.onSend(hash === '' ? 'copy_refused' : 'copy_taken');
    if (!live) return;
    if (hash !== '') return this.run.answerWith(`"${hash}"`, upstreamIndex);
    const { held } = this;
    if (held === null || this.copies > 0) return;
    this.held = null;
    if (!this.search(held)) this.run.conclude(held);
  }

  /** Looks for a transaction whose nonce is used: it may be the one that used it. */
  private search(result: Ending): boolean {
    const { chain, call } = this.run;
    if (result.kind !== 'reply' || result.reply.split.kind !== 'error' || !nonceTooLow(result.reply.split.message)) return false;
    const hash = localHash(call);
    if (hash === null) return false;
    const others = chain.table.serving.filter((index) => index !== result.upstreamIndex && this.run.view?.stands(chain.table.entries[index]) === true);
    this.lookAt([result.upstreamIndex, ...others].slice(0, MAX_SEARCHED), hash, result);
    return true;
  }

  private lookAt(nodes: readonly number[], hash: string, result: Reply): void {
    const { chain, server } = this.run;
    const [upstreamIndex, ...rest] = nodes;
    if (upstreamIndex === undefined) {
      chain.metrics.view.onSend('nonce_used');
      return this.run.conclude(result);
    }
    new NodeCall(chain, server, { upstreamIndex, method: 'eth_getTransactionByHash', paramsRaw: `["${hash}"]` }, (answer) => {
      if (!this.run.live) return;
      if (answer === null || answer.isNull || answer.split.kind !== 'result') return this.lookAt(rest, hash, result);
      chain.metrics.view.onSend('nonce_known');
      this.run.answerWith(`"${hash}"`, upstreamIndex);
    });
  }

  /** A node that does not know the sender's last transaction tells a nonce that is used already. */
  private checkNonce(result: Reply, view: CallView): boolean {
    const { chain, server, call, spec } = this.run;
    const last = chain.sends.lastFor(spec, view.ref, call.paramsRaw, server.parts.world.clock.nowMs());
    const told = Number(/^"(0x[0-9a-fA-F]{1,13})"$/.exec(resultText(result.reply))?.[1] ?? Number.NaN);
    if (last === null || !(told <= last.nonce)) return false;
    new NodeCall(chain, server, { upstreamIndex: last.node, method: 'eth_getTransactionByHash', paramsRaw: `["${last.hash}"]` }, (answer) => {
      if (!this.run.live) return;
      if (answer !== null && !answer.isNull && answer.split.kind === 'result') {
        chain.metrics.view.onSend('nonce_raised');
        return this.run.answerWith(`"0x${(last.nonce + 1).toString(16)}"`, last.node);
      }
      if (answer?.isNull === true) chain.sends.onGone(addressOf(spec, call.paramsRaw), last);
      this.run.conclude(result);
    });
    return true;
  }
}

/** The hash that a node which has taken a raw transaction, now or before, answers with; '' = it has not. */
function acceptedHash(call: ScannedCall, answer: NodeAnswer | null): string {
  if (answer === null) return '';
  if (answer.split.kind === 'error') return localHash(call, answer.split.message) ?? '';
  return /^"(0x[0-9a-fA-F]{64})"$/.exec(resultText(answer))?.[1] ?? '';
}
