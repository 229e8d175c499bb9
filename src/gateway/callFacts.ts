import { blockRefOf } from '../chain/blockref.ts';
import type { BlockPoint } from '../chain/blockref.ts';
import { alreadyKnown } from '../chain/errors/classify.ts';
import { scrubData, scrubMessage } from '../chain/errors/scrub.ts';
import { transactionHash } from '../chain/evm/transactionHash.ts';
import { elementAt, skipSpace, stringAt } from '../chain/jsonWalk.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { BodyFlow } from '../edge/port.ts';
import type { RequestOutcome } from '../observe/metricTable.ts';
import type { RankAsk } from '../route/flaws.ts';
import type { AttemptResult } from '../route/attemptPort.ts';
import { composedError, nodeErrorEnvelope, resultEnvelope } from '../rpc/envelope.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import type { NodeAnswer } from './attemptSink.ts';
import type { CacheVerdict } from './cacheVerdict.ts';
import type { CallView } from './callView.ts';
import type { ChainRuntime } from './chain.ts';
import { resultText } from './nodeCall.ts';
import type { CallServer } from './nodeCall.ts';
import { storedBody } from './storedBody.ts';
import type { PartedBody } from './storedBody.ts';

/** A body on its way. */
export interface AnswerFlow extends BodyFlow {
  /** What is to be given back when it is over. */
  hold(release: () => void): void;
}

/** The answer to one call. */
export interface CallAnswer {
  /** HTTP status where it is a request of its own. */
  readonly status: number;
  /** The whole JSON-RPC answer, or its beginning. */
  readonly body: Buffer;
  /** The bytes that follow it, which are kept for others too; only for who takes large answers as they come. */
  readonly rest?: Uint8Array;
  /** In place of the body: a large result, handed on as its reader takes it. */
  readonly flow?: AnswerFlow;
  /** The node whose answer it is, or ''. */
  readonly upstream: string;
  readonly retryAfterS: number;
  /** What the cache had to do with it. */
  readonly cache: CacheVerdict;
  /** For metrics. */
  readonly outcome: RequestOutcome;
}

/** Where an answer goes that nobody waits for. */
export const toNobody = (): void => undefined;

type Reply = Extract<AttemptResult<NodeAnswer>, { kind: 'reply' }>;

/** Outcomes whose error text is the chain's or about the caller's own words: passed on byte for byte. */
const PASSED_AS_IS: ReadonlySet<string> = new Set(['result', 'chain', 'client']);

/** Fills in what the call asks of a node by the block it is about. */
export function askForBlock(view: CallView, ask: RankAsk): void {
  const { ref, sight, racedHash } = view;
  ask.racedHash = racedHash;
  ask.requiredBlock = -1;
  ask.stateBlock = -1;
  ask.trustedBlock = sight.trustedBlock;
  if (ref.kind === 'number') {
    ask.requiredBlock = ref.number;
    ask.stateBlock = ref.number;
  } else if (ref.kind === 'tag' && ref.tag === 'earliest') {
    ask.stateBlock = 0;
  } else if (ref.kind === 'hash') {
    ask.stateBlock = view.stateHeight(ref.hash);
  } else if (ref.kind === 'range') {
    ask.requiredBlock = Math.max(heightOf(ref.from), heightOf(ref.to));
  }
}

const heightOf = (point: BlockPoint): number => (point.kind === 'number' ? point.number : -1);

/** The answer to `eth_blockNumber`: the head as the client sees it. */
export const headAnswer = (call: ScannedCall, number: number): CallAnswer =>
  ownAnswer(call, `"0x${number.toString(16)}"`);

/** An answer with a result of our own making. @param resultRaw raw JSON @param by whose doing it is, where a node had a part in it */
export const ownAnswer = (call: ScannedCall, resultRaw: string, by: Pick<CallAnswer, 'upstream' | 'cache'> = { upstream: '', cache: 'hit' }): CallAnswer =>
  answered(resultEnvelope(call.idRaw ?? 'null', Buffer.from(resultRaw, 'latin1')), by, 'result');

/** Whose answer it is, and whether it goes out by itself over HTTP: then a large result need not be copied. */
interface AnswerBy extends Pick<CallAnswer, 'upstream' | 'cache'> {
  readonly inParts: boolean;
}

/** The client's answer made of a node's: the node's own bytes under the caller's id. */
export function answerBytes(call: ScannedCall, result: Reply, by: AnswerBy): CallAnswer {
  const { body, split, large } = result.reply;
  const idRaw = call.idRaw ?? 'null';
  if (large !== undefined) {
    large.address(idRaw);
    return { ...answered(NONE, by, 'result'), flow: large };
  }
  const outcome = result.outcome.class;
  if (split.kind === 'result') {
    // a batch of the node's with other answers in it is not to be kept for one
    const isMost = by.inParts && (split.end - split.start) * 2 > body.length;
    return isMost ? inParts(storedBody(idRaw, { value: body.subarray(split.start, split.end), isError: false }, true), by) : answered(resultEnvelope(idRaw, body, split.start, split.end), by, 'result');
  }
  const taken = outcome === 'chain' ? localHash(call, split.message) : null;
  if (taken !== null) return answered(resultEnvelope(idRaw, Buffer.from(`"${taken}"`, 'latin1')), by, 'result');
  if (split.wellFormed && PASSED_AS_IS.has(outcome)) return answered(nodeErrorEnvelope(idRaw, body, split.start, split.end), by, 'error');
  const code = split.code === 0 ? -32000 : split.code;
  return answered(composedError(idRaw, code, scrubMessage(split.message), scrubData(split.dataRaw)), by, 'error');
}

const NONE = Buffer.alloc(0);

function inParts({ body, rest }: PartedBody, by: AnswerBy): CallAnswer {
  const answer = answered(body, by, 'result');
  return rest === undefined ? answer : { ...answer, rest };
}

const answered = (body: Buffer, { upstream, cache }: Pick<CallAnswer, 'upstream' | 'cache'>, outcome: RequestOutcome): CallAnswer =>
  ({ status: 200, body, upstream, retryAfterS: 0, cache, outcome });

/**
 * The hash that a node answers with which takes the raw transaction that the call sends; null where it cannot be told.
 * @param message error of a node: only if it says that the node has the transaction already, which is what the sender wants
 */
export function localHash(call: ScannedCall, message?: string): string | null {
  if (call.method !== 'eth_sendRawTransaction' || (message !== undefined && !alreadyKnown(message))) return null;
  const at = elementAt(call.paramsRaw, skipSpace(call.paramsRaw, 0), 0);
  const raw = at < 0 ? null : stringAt(call.paramsRaw, at);
  return raw === null ? null : transactionHash(raw);
}

/** What a node that has a raw transaction answers, also where it says so in an error; else '' or some other result. */
export function takenText(call: ScannedCall, answer: NodeAnswer): string {
  const hash = answer.split.kind === 'error' ? localHash(call, answer.split.message) : null;
  return hash === null ? resultText(answer) : `"${hash}"`;
}

const HASH_RESULT = /^"0x[0-9a-fA-F]{64}"$/;

/** Remembers the hash of a transaction that a node has just taken through this edge. */
export function noteHash({ chain, server, spec }: { readonly chain: ChainRuntime; readonly server: CallServer; readonly spec: MethodSpec }, resultRaw: string, upstreamIndex: number): void {
  if (spec.class !== 'write' || !HASH_RESULT.test(resultRaw)) return;
  const hash = resultRaw.slice(1, -1).toLowerCase();
  chain.recent.add(hash);
  chain.judging.onSent(hash, upstreamIndex);
  chain.sends.onTaken(server, hash, upstreamIndex);
}

/** Whether the transaction asked for came through this edge lately. */
export function sawHash(chain: ChainRuntime, spec: MethodSpec, paramsRaw: string): boolean {
  if (spec.block.kind !== 'transaction' || chain.recent.size === 0) return false;
  const ref = blockRefOf(spec, paramsRaw);
  return ref.kind === 'transaction' && chain.recent.has(ref.hash.toLowerCase());
}
