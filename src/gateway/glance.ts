import { BodyMemo, type BodyLimits } from '../cache/bodyMemo.ts';
import type { Entry } from '../cache/entry.ts';
import type { CallAsk } from '../cache/rule.ts';
import type { MethodPolicy } from '../chain/access.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { EdgeAnswer } from '../edge/port.ts';
import { ID_AT } from '../rpc/envelope.ts';
import type { ScanLimits, ScannedCall } from '../rpc/scan.ts';
import { storedBody } from './storedBody.ts';
import type { Vantage } from './vantage.ts';

/** Answers beyond this are put together each time. */
const MAX_READY_BYTES = 1024;

/** A call whose answer came from the cache when it was met before. */
interface Known {
  /** As it was met first: its id is another one's. */
  readonly call: ScannedCall;
  readonly spec: MethodSpec;
  readonly ask: CallAsk;
  readonly headers: readonly string[];
  /** The answer as it was sent last, and what it was made of; null = it is put together each time. */
  entry: Entry | null;
  idBytes: number;
  ready: EdgeAnswer;
}

/** What a body that was met before asks for. */
export type Glanced = Pick<Known, 'call' | 'spec' | 'ask' | 'headers'>;

/** What reading a body depends on beside its bytes. */
export interface Rules {
  readonly vantage: Vantage;
  readonly policy: MethodPolicy;
  readonly limits: ScanLimits;
}

const NOTHING: EdgeAnswer = { status: 200, headers: [], body: '' };

/**
 * Recognises requests for stored answers by their bytes, before they are read: what reading, method rules and key came to at this
 * very view of the chain, and the bytes to answer with. Whether the answer still holds is for the cache to say, each time.
 */
export class Glance {
  private memo: BodyMemo<Known>;
  private rules: Rules | null = null;
  private known: Known | null = null;

  constructor(limits: BodyLimits) {
    this.memo = new BodyMemo(limits);
  }

  /** Begins anew under other limits. */
  setLimits(limits: BodyLimits): void {
    this.known = null;
    this.memo = new BodyMemo(limits);
  }

  /** Hot: what a body asks for, where that was told before under the same rules; else null. */
  find(body: Uint8Array, vantage: Vantage, policy: MethodPolicy, limits: ScanLimits): Glanced | null {
    const { rules } = this;
    if (rules === null || rules.vantage !== vantage || rules.policy !== policy || rules.limits !== limits) return null;
    this.known = this.memo.find(body);
    return this.known;
  }

  /** The id of the body found last, as it stands there. */
  idOf(body: Uint8Array): string {
    return Buffer.from(body.subarray(this.memo.idFrom, this.memo.idTo)).toString('latin1');
  }

  /**
   * The answer to the body found last.
   * @param entry that holds for it now
   * @param copiedBelow bytes of a body that is copied while it is sent, so that its bytes can be used again
   */
  answer(body: Uint8Array, entry: Entry, copiedBelow: number): EdgeAnswer {
    const { known, memo } = this;
    if (known === null) return NOTHING;
    const idBytes = memo.idTo - memo.idFrom;
    if (known.entry === entry && known.idBytes === idBytes && known.ready.body.length < copiedBelow) {
      const ready = known.ready.body as Uint8Array;
      for (let i = 0; i < idBytes; i++) ready[ID_AT + i] = body[memo.idFrom + i] as number;
      return known.ready;
    }
    const idRaw = this.idOf(body);
    const { body: whole, rest } = storedBody(idRaw, entry, true);
    const { headers } = known;
    if (rest !== undefined) return { status: 200, headers, body: whole, rest };
    const made: EdgeAnswer = { status: 200, headers, body: whole };
    if (whole.length >= copiedBelow || whole.length > MAX_READY_BYTES) return made;
    known.entry = entry;
    known.idBytes = idBytes;
    // bytes of its own: a slice would keep a pool alive
    const own = new Uint8Array(whole.length);
    own.set(whole);
    known.ready = { ...made, body: own };
    return known.ready;
  }

  /** Remembers a call that was answered from the cache. @param idAt where its id begins in the body */
  learn(body: Uint8Array, idAt: number, rules: Rules, { call, spec, ask, headers }: Glanced): void {
    // before the first agreement a call is resolved by another view
    if (call.idRaw === null || rules.vantage.head === null) return;
    const { rules: before } = this;
    if (before === null || before.vantage !== rules.vantage || before.policy !== rules.policy || before.limits !== rules.limits) {
      this.memo.clear();
      this.rules = rules;
    }
    this.memo.put(body, idAt, call.idRaw.length, { call, spec, ask, headers, entry: null, idBytes: 0, ready: NOTHING });
  }
}
