import type { BlockRef } from '../chain/blockref.ts';
import { addressOf } from '../chain/blockref.ts';
import type { MethodSpec } from '../chain/method.ts';
import { Lookups } from './lookups.ts';
import { SendBook } from './sendBook.ts';
import type { LastSend } from './sendBook.ts';
import { NodeCall, resultText } from './nodeCall.ts';
import type { CallChain, CallServer } from './nodeCall.ts';
import type { SendDesk } from './sharedSends.ts';

/** Most senders looked up at once; of further sends the sender stays unknown. */
const MAX_LOOKUPS = 256;

/**
 * What a client that has sent a transaction through this edge may rely on: look-ups of it go to the node that took it,
 * and so does the sender's next nonce. The sender is asked of that node, which has worked it out from the signature already.
 */
export class Sends {
  readonly book = new SendBook();
  private readonly chain: CallChain;
  private readonly desk: SendDesk | null;
  private readonly lookups = new Lookups();

  /** @param desk what went through other processes; null = there are none */
  constructor(chain: CallChain, desk: SendDesk | null) {
    this.chain = chain;
    this.desk = desk;
  }

  /** Whether a sender's next nonce cannot be told at once: senders are being looked up, or other processes are to be asked. */
  get mustWait(): boolean {
    return this.lookups.size > 0 || this.desk !== null;
  }

  /** A node has taken a transaction. @param hash 0x-prefixed */
  onTaken(server: CallServer, hash: string, node: number): void {
    const { nonceTtlMs } = this.chain.config.view;
    const key = hash.toLowerCase();
    this.book.onTaken(key, node);
    if (nonceTtlMs === 0 || this.lookups.size >= MAX_LOOKUPS) return;
    this.lookups.begin(key);
    this.desk?.onSending(key);
    new NodeCall(this.chain, server, { upstreamIndex: node, method: 'eth_getTransactionByHash', paramsRaw: `["${key}"]` }, (answer) => {
      const nowMs = server.parts.world.clock.nowMs();
      const told = senderIn(resultText(answer));
      if (told !== null) this.book.onSender(told.from, { nonce: told.nonce, hash: key, node, untilMs: nowMs + nonceTtlMs }, nowMs);
      this.desk?.onSender(key, told?.from ?? '', told === null ? null : { nonce: told.nonce, hash: key, node, leftMs: nonceTtlMs });
      this.lookups.end(key);
    });
  }

  /** Calls `then` when the account's last transaction, sent through whichever process before now, is known. */
  whenKnown(sender: string, nowMs: () => number, then: () => void): void {
    this.lookups.after(() => {
      if (this.desk === null) return then();
      this.desk.lastOf(sender, (send) => {
        const atMs = nowMs();
        if (send !== null) this.book.onSender(sender, { nonce: send.nonce, hash: send.hash, node: send.node, untilMs: atMs + send.leftMs }, atMs);
        then();
      });
    });
  }

  /** The sender's last transaction is gone. */
  onGone(sender: string, { hash }: LastSend): void {
    this.book.forget(sender);
    this.desk?.onGone(sender, hash);
  }

  /** The last transaction of the account whose pending nonce is asked for; null = none, or something else is asked. */
  lastFor(spec: MethodSpec, ref: BlockRef, paramsRaw: string, nowMs: number): LastSend | null {
    return asksNextNonce(spec, ref) ? this.book.lastOf(addressOf(spec, paramsRaw), nowMs) : null;
  }

  /** Node that a call should go to for what went through this process; -1 = any. */
  nodeFor(spec: MethodSpec, ref: BlockRef, paramsRaw: string, nowMs: number): number {
    if (ref.kind === 'transaction') return this.book.nodeOf(ref.hash);
    return this.lastFor(spec, ref, paramsRaw, nowMs)?.node ?? -1;
  }
}

/** Whether a sender's next nonce is asked for. */
export const asksNextNonce = (spec: MethodSpec, ref: BlockRef): boolean =>
  spec.name === 'eth_getTransactionCount' && ref.kind === 'tag' && ref.tag === 'pending';

/** Sender and nonce of a transaction as a node tells it. */
function senderIn(json: string): { readonly from: string; readonly nonce: number } | null {
  const from = /"from"\s*:\s*"(0x[0-9a-fA-F]{40})"/.exec(json)?.[1];
  const nonce = /"nonce"\s*:\s*"(0x[0-9a-fA-F]{1,13})"/.exec(json)?.[1];
  return from === undefined || nonce === undefined ? null : { from: from.toLowerCase(), nonce: Number(nonce) };
}

/** Moves a node to the front of the candidates, where it is among them. */
export function moveToFront(candidates: Int32Array, count: number, node: number): void {
  const at = node < 0 ? -1 : candidates.subarray(0, count).indexOf(node);
  if (at <= 0) return;
  candidates.copyWithin(1, 0, at);
  candidates[0] = node;
}
