import { FAULTS } from '../base/fault.ts';
import type { FaultKind } from '../base/fault.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { UpstreamReport } from '../health/report.ts';
import { AttemptLog } from '../route/attemptLog.ts';
import type { NodeReply } from '../route/attemptPort.ts';
import { Candidates } from '../route/candidates.ts';
import { explainRank } from '../route/explain.ts';
import type { Explained } from '../route/explain.ts';
import type { CandidateFacts, Explanation, FailureFacts, MethodFacts, NodeFacts, RefusalFacts, ViewFacts } from '../route/explanation.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import type { RankAsk } from '../route/flaws.ts';
import { askForBlock } from './callFacts.ts';
import { CallView } from './callView.ts';
import type { ChainRuntime } from './chain.ts';
import { cacheFacts } from './explainCache.ts';
import { reasonsOf } from './explainWords.ts';
import type { LocalChain } from './localChain.ts';

/** A call that is only thought of. */
export interface ImaginedCall {
  readonly method: string;
  /** Params as JSON text, spelled as the client would, since the key of a call is made of its text; '' = none. */
  readonly params: string;
  /** What tells the client apart, for affinity `client`; '' = unknown. */
  readonly client: string;
}

type Chances = Candidates<NodeReply>;

const refusalFacts = (kind: FaultKind): RefusalFacts => ({ kind, code: FAULTS[kind].code, message: FAULTS[kind].message });

/** What would happen to a call at this moment. Sends nothing, counts nothing. */
export function explainCall({ serving: chain, watch }: LocalChain, call: ImaginedCall, nowMs: number): Explanation {
  const decision = chain.policy.decide(call.method);
  const common = {
    chain: chain.name,
    method: call.method,
    params: call.params,
    panic: chain.table.panic,
  };
  if (decision.fault !== null) {
    const refusal = refusalFacts(decision.fault.spec.kind as FaultKind);
    return { ...common, facts: null, refusal, requiredBlock: -1, stateBlock: -1, cache: null, view: null, candidates: [], excluded: [], onFailure: null };
  }
  const { spec } = decision;
  const view = viewOf(chain, spec, call);
  const ask = askOf(chain, spec, call, { view, nowMs });
  const ranked = explainRank(chain.table, spec, ask, { book: chain.book, boundedLoad: chain.config.routing.boundedLoad });
  const first = ranked.filter(({ position }) => position >= 0);
  const chances = chancesOf(chain, spec, first);
  const reports = watch.judge.snapshot(nowMs);
  const facts = (node: Explained): NodeFacts => nodeFacts(chain, node, { ask, cost: spec.weight, report: reports.find(({ index }) => index === node.index) });
  return {
    ...common,
    facts: methodFacts(chain, spec),
    refusal: first.length > 0 ? null : refusalFacts(refusalOf(chain, spec, ask)),
    requiredBlock: ask.requiredBlock,
    stateBlock: ask.stateBlock,
    cache: cacheFacts(chain, spec, scanned(call)),
    view: viewFacts(chain, view),
    candidates: first.map((node): CandidateFacts => ({ ...facts(node), attemptTimeoutMs: chances.timeoutMs(node.index), hedgeDelayMs: chances.hedgeDelayMs(node.index) })),
    excluded: ranked.filter(({ position, index }) => position < 0 && reports.some((report) => report.index === index)).map(facts),
    onFailure: first[0] === undefined ? null : failureFacts(chain, spec, { first, chances, nowMs }),
  };
}

/** The call in the form in which a scanned one is: one char per byte. */
const scanned = ({ method, params }: ImaginedCall): ScannedCall => ({ idRaw: null, fault: null, method, paramsRaw: Buffer.from(params, 'utf8').toString('latin1') });

const viewOf = (chain: ChainRuntime, spec: MethodSpec, call: ImaginedCall): CallView =>
  new CallView(chain, spec, scanned(call), { vantage: chain.tip.now(), inBatch: false });

function askOf(chain: ChainRuntime, spec: MethodSpec, call: ImaginedCall, from: { readonly view: CallView; readonly nowMs: number }): RankAsk {
  chain.aim(spec, scanned(call), { clientName: call.client });
  const ask = { ...chain.ask, nowMs: from.nowMs };
  askForBlock(from.view, ask);
  return ask;
}

function viewFacts(chain: ChainRuntime, view: CallView): ViewFacts {
  const { trustedBlock, firm } = view.sight;
  const { pinning } = chain.config.view;
  return { block: chain.tip.now().text, trustedBlock, firm, pinning, pinnedParams: pinning === 'never' ? '' : view.pinText };
}

/** The attempt machine's own view of the candidates, so that its waits are told as it would wait. */
function chancesOf(chain: ChainRuntime, method: MethodSpec, first: readonly Explained[]): Chances {
  const chances: Chances = new Candidates(new AttemptLog<NodeReply>(), chain.book);
  const candidates = Int32Array.from(first, ({ index }) => index);
  const { table } = chain;
  chances.begin({ method, table, candidates, candidateCount: first.length, refusal: 'noUpstream', deadlineMs: 0, hashSeen: false });
  return chances;
}

function refusalOf(chain: ChainRuntime, spec: MethodSpec, ask: RankAsk): FaultKind {
  chain.ranker.rank(chain.table, spec, ask, new Int32Array(chain.table.entries.length));
  return chain.ranker.refusal;
}

function methodFacts(chain: ChainRuntime, spec: MethodSpec): MethodFacts {
  const { access, retryable, hedgeable, idempotent, capability } = spec;
  const affinity = chain.config.routing.affinity[spec.class];
  return { listed: spec !== chain.catalog.unknownSpec, class: spec.class, access, retryable, hedgeable, idempotent, affinity, capability, cost: spec.weight };
}

function nodeFacts(chain: ChainRuntime, node: Explained, seen: { readonly ask: RankAsk; readonly cost: number; readonly report: UpstreamReport | undefined }): NodeFacts {
  const { name, tier, state, weight, distance, inFlight } = node;
  const entry = chain.table.entries[node.index];
  const headNumber = entry?.headNumber ?? -1;
  const { nowMs } = seen.ask;
  const { budgets } = chain.book;
  const budget = { ...budgets.facts(node.index, nowMs), waitMs: budgets.waitMs(node.index, seen.cost, nowMs) };
  const reasons = entry === undefined ? [] : reasonsOf(node, { entry, ask: seen.ask, budget, why: seen.report?.why ?? state });
  return { name, tier, state, weight, score: seen.report?.score ?? 0, distance, inFlight, headNumber, reasons };
}

/** As `Attempt` decides: an attempt that is the last possible has until the deadline, and is not hedged. */
function failureFacts(chain: ChainRuntime, spec: MethodSpec, about: { readonly first: readonly Explained[]; readonly chances: Chances; readonly nowMs: number }): FailureFacts {
  const { first, chances, nowMs } = about;
  const { maxAttempts, maxHedges } = chain.attempts.options;
  const { deadlineMs } = chain.config.routing;
  const elsewhere = spec.retryable && maxAttempts > 1 && first.length > 1;
  const index = first[0]?.index ?? 0;
  const hedges = elsewhere && spec.hedgeable && maxHedges > 0;
  return {
    maxAttempts,
    attemptTimeoutMs: elsewhere ? Math.min(chances.timeoutMs(index), deadlineMs) : deadlineMs,
    hedgeAfterMs: hedges ? chances.hedgeDelayMs(index) : null,
    deadlineMs,
    budgetLeft: Math.max(0, Math.floor(chain.attempts.budget.left(nowMs))),
    words: failureWords(spec, first, maxAttempts),
  };
}

function failureWords(spec: MethodSpec, first: readonly Explained[], maxAttempts: number): string {
  const next = first[1]?.name;
  if (maxAttempts < 2) return 'the call is sent once';
  if (!spec.retryable) return 'must not run twice: goes elsewhere only when it has certainly reached no node';
  return next === undefined ? 'no other node can take it' : `goes to ${next} next`;
}
