import { skipEnd } from './json.ts';
import { MemberReader } from './member.ts';
import { judgeReply, MAX_REPLY_DEPTH, REPLY_NAMES, splitReply } from './reply.ts';
import type { SplitReply } from './reply.ts';
import { rawSlice } from './text.ts';
import { OPEN_BRACE, byteAt, skipSpace } from './token.ts';

/** A notice of a subscription: its result is the bytes `[start, end)` of the message, to be passed on as they are. */
export interface Notice {
  readonly kind: 'notice';
  /** The method's own bytes, quotes included: `"eth_subscription"`. */
  readonly methodRaw: string;
  /** The subscription's own bytes, one char per byte; quotes included where it is a text. */
  readonly subscriptionRaw: string;
  readonly start: number;
  readonly end: number;
}

const MESSAGE_NAMES: readonly string[] = [...REPLY_NAMES, 'method', 'params'];
const ID = 0;
const METHOD = 3;
const PARAMS = 4;

const PARAMS_NAMES: readonly string[] = ['subscription', 'result'];
const SUBSCRIPTION = 0;
const RESULT = 1;

/**
 * Splits what a node says over a WebSocket: an answer to a call, or a notice of a subscription. The whole message is checked as in
 * `splitReply`; nothing of the result is built. Never throws.
 * @param body one whole message, shorter than 1 GiB
 */
export function splitMessage(body: Buffer): SplitReply | Notice {
  const start = skipSpace(body, 0);
  if (byteAt(body, start) !== OPEN_BRACE) return splitReply(body);
  const reader = new MemberReader(body, MESSAGE_NAMES);
  const end = reader.read(start, MAX_REPLY_DEPTH);
  // tells what is wrong
  if (skipEnd(body, end) < 0) return splitReply(body);
  if (!reader.has(METHOD) || reader.has(ID)) return judgeReply(reader);
  if (reader.twice !== 0) return { kind: 'bad', why: 'a member occurs twice' };
  const methodRaw = rawSlice(body, reader.from[METHOD] as number, reader.to[METHOD] as number);
  return readNotice(reader, methodRaw);
}

function readNotice(message: MemberReader, methodRaw: string): SplitReply | Notice {
  const { bytes } = message;
  const at = message.from[PARAMS] as number;
  if (at === 0 || bytes[at] !== OPEN_BRACE) return { kind: 'bad', why: 'a notice without params' };
  const params = new MemberReader(bytes, PARAMS_NAMES, message.even);
  params.read(at, MAX_REPLY_DEPTH);
  if (params.twice !== 0 || !params.has(SUBSCRIPTION) || !params.has(RESULT)) return { kind: 'bad', why: 'a notice without subscription or result' };
  const subscriptionRaw = rawSlice(bytes, params.from[SUBSCRIPTION] as number, params.to[SUBSCRIPTION] as number);
  return { kind: 'notice', methodRaw, subscriptionRaw, start: params.from[RESULT] as number, end: params.to[RESULT] as number };
}
