import type { MethodSpec } from '../chain/method.ts';
import type { OutcomeClass } from '../chain/outcome.ts';
import { standingOf } from '../chain/stamp.ts';
import type { StreamEnding } from '../observe/metricTable.ts';
import type { Grant } from '../route/admission.ts';
import type { AttemptSink, NodeAnswer } from './attemptSink.ts';
import type { AnswerFlow } from './callFacts.ts';
import type { CallCache } from './callCache.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client, ServeContext } from './context.ts';
import { LargeReply } from './largeReply.ts';
import type { LargeStart } from './largeReply.ts';

/** What an attempt came to whose large answer ended through nobody's failure; else it was given up. */
const UNBLAMED: Readonly<Partial<Record<StreamEnding, OutcomeClass>>> = { whole: 'result', too_large: 'tooLarge' };

/** The call whose answer may be a large one. */
export interface LargeCaller {
  readonly server: ServeContext;
  readonly chain: ChainRuntime;
  readonly client: Client;
  readonly spec: MethodSpec;
  readonly cached: CallCache;
  readonly live: boolean;
  /** Whether other calls wait for its answer too. */
  readonly flight: { readonly isShared: boolean };
}

/**
 * From which size on an answer is handed on as it comes; Infinity = never. What may be stored is taken whole up to what the cache takes; what
 * goes into a batch, over a WebSocket or to ourselves always is.
 */
export function streamAboveBytes({ server, chain, client, spec, cached }: LargeCaller): number {
  const { streamAboveBytes: above } = server.parts.server;
  if (client.streams !== true || above === 0 || spec.class === 'write') return Number.POSITIVE_INFINITY;
  return cached.mayStore ? Math.max(above, chain.config.cache.maxEntryBytes) : above;
}

/** The answer to go on with, if the call takes it as it comes; null = not now. */
export function takeLarge(run: LargeCaller, sink: AttemptSink, start: LargeStart): NodeAnswer | null {
  const { server, chain, live } = run;
  const { bodyTimeoutMs: stallMs, streamTimeoutMs: timeoutMs, maxStreamBytes: maxBytes } = server.parts.server;
  const isList = chain.stamps[run.spec.index] === 'items';
  // a list over several blocks is judged by its last
  if (!live || run.flight.isShared || start.flow.lengthBytes > maxBytes || (isList && run.spec.block.kind === 'range')) return null;
  const [first = Buffer.alloc(0)] = start.pieces;
  const body = start.pieces.length === 1 ? first : Buffer.concat(start.pieces);
  if (!isOnBranch(run, body, start.scan.resultStart)) return null;
  const { timers, clock } = server.parts.world;
  const { upstreamIndex, sentMs } = sink;
  const beganMs = clock.nowMs() - sentMs;
  const large = new LargeReply(start, {
    timers, stallMs, timeoutMs, maxBytes,
    onOver: (ending, outcome) => {
      chain.metrics.streams.add(ending);
      const nowMs = clock.nowMs();
      chain.metrics.onUpstream(upstreamIndex, outcome?.class ?? UNBLAMED[ending] ?? 'cancelled', beganMs);
      if (outcome !== null) chain.judging.onOutcome(upstreamIndex, outcome, nowMs - sentMs, nowMs);
    },
  });
  return { body, split: { kind: 'result', id: start.id, start: start.scan.resultStart, end: body.length }, isNull: false, large };
}

/** Keeps what the call counts against until its answer is through. @returns null */
export function holdFor(large: AnswerFlow, server: ServeContext, entered: Grant | null): null {
  server.inFlight++;
  large.hold(() => {
    server.inFlight--;
    entered?.leave();
  });
  return null;
}

/** Whether the beginning of a result tells already that it is of the trusted branch; true where results of the method name no block. */
function isOnBranch({ chain, spec }: LargeCaller, bytes: Buffer, start: number): boolean {
  const shape = chain.stamps[spec.index] ?? null;
  if (shape === null) return true;
  chain.view.refresh();
  const standing = standingOf(shape, { bytes, start, end: bytes.length }, chain.view);
  return standing === 'on' || standing === 'unknown';
}
