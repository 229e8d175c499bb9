import type { Verdict, VerdictKind } from './ailment.ts';
import type { ChainFacts, LogEvidence, NodeFacts } from './facts.ts';
import type { NodeMemory } from './memory.ts';
import type { HealOptions } from './options.ts';

const seconds = (ms: number): string => `${Math.max(0, Math.round(ms / 1000))} s`;

function ended(node: NodeFacts): string {
  const { exitCode, signal, oomKilled, state } = node.process;
  if (oomKilled) return 'it was killed for want of memory';
  if (signal !== null) return `it was ended by ${signal}`;
  if (exitCode !== null) return `it exited with code ${exitCode}`;
  return state === 'absent' ? 'nothing of it runs' : 'it ended';
}

const SIGN_KINDS: Readonly<Record<LogEvidence['sign'], VerdictKind>> = {
  dataCorrupt: 'dataSuspect',
  portInUse: 'portInUse',
  badConfig: 'badConfig',
  diskFull: 'diskFull',
  versionTooOld: 'versionTooOld',
};

/** The process is not there. Its last words weigh more than the fact that it ended. */
function goneVerdict(node: NodeFacts, memory: NodeMemory, options: HealOptions): Verdict {
  if (node.log !== null) return { kind: SIGN_KINDS[node.log.sign], why: `${ended(node)}; its log says: ${node.log.line}` };
  if (memory.shortRuns >= options.crashLoopRuns) return { kind: 'crashLoop', why: `${memory.shortRuns} runs in a row ended within ${seconds(options.shortRunMs)}; ${ended(node)}` };
  return { kind: 'processGone', why: ended(node) };
}

function runningVerdict(node: NodeFacts, chain: ChainFacts, options: HealOptions, nowMs: number): Verdict {
  const { rpc } = node;
  const { startedAtMs } = node.process;
  const silentMs = nowMs - Math.max(rpc.answeredAtMs, startedAtMs);
  if (rpc.answeredAtMs < startedAtMs || rpc.answeredAtMs < 0) {
    if (nowMs - startedAtMs < options.startGraceMs) return { kind: 'starting', why: `started ${seconds(nowMs - startedAtMs)} ago, no answer yet` };
    return { kind: 'unresponsive', why: `no answer in the ${seconds(nowMs - startedAtMs)} since its start` };
  }
  if (silentMs >= options.unresponsiveMs) return { kind: 'unresponsive', why: `it runs but has not answered for ${seconds(silentMs)}` };
  if (rpc.forkedAt >= 0) return { kind: 'forked', why: `its block ${rpc.forkedAt} is not the chain's` };
  return paceVerdict(node, chain, options, nowMs);
}

/** How it follows the chain. */
function paceVerdict(node: NodeFacts, chain: ChainFacts, options: HealOptions, nowMs: number): Verdict {
  const { rpc } = node;
  const behind = chain.trustedNumber < 0 || rpc.headNumber < 0 ? 0 : chain.trustedNumber - rpc.headNumber;
  if (behind < options.lagBlocks) return { kind: 'healthy', why: behind > 0 ? `${behind} blocks behind, within bounds` : 'at the head' };
  const stillMs = nowMs - Math.max(rpc.headMovedAtMs, node.process.startedAtMs);
  if (stillMs < Math.max(options.stallMs, 2 * chain.blockTimeMs)) return { kind: 'lagging', why: `${behind} blocks behind, its head moves` };
  if (rpc.peers === 0) return { kind: 'peerStarved', why: `${behind} blocks behind and without peers` };
  return { kind: 'stalled', why: `${behind} blocks behind, its head has not moved for ${seconds(stillMs)}` };
}

/** What holds for the whole chain and forbids to judge one node of it; null = nothing. */
export function chainVerdict(chain: ChainFacts, options: HealOptions, nowMs: number): Verdict | null {
  if (chain.networkFault !== null) return { kind: 'networkDown', why: `our own network is in doubt: ${chain.networkFault}` };
  const stoodMs = nowMs - chain.trustedMovedAtMs;
  const answering = chain.nodes.filter((node) => node.process.state === 'running' && nowMs - node.rpc.answeredAtMs < options.unresponsiveMs);
  if (chain.trustedMovedAtMs < 0 || answering.length === 0 || stoodMs < Math.max(options.chainHaltedMs, 10 * chain.blockTimeMs)) return null;
  return { kind: 'chainHalted', why: `no node has a new block since ${seconds(stoodMs)}: the chain stands still` };
}

/**
 * What ails the node. A process that is gone is judged whatever the chain does (it can be started without harm); what is
 * told by heads only where the chain itself moves and our network is in order.
 */
export function diagnose(node: NodeFacts, memory: NodeMemory, chain: ChainFacts, now: { readonly options: HealOptions; readonly nowMs: number; readonly chainVerdict: Verdict | null }): Verdict {
  const verdict = judge(node, memory, chain, now);
  const { edge } = node;
  // the gateway sees what no look does: calls that fail, answers that are slow
  if (verdict.kind === 'stopped' || edge === null || edge.why === '' || (edge.state !== 'ejected' && edge.state !== 'down')) return verdict;
  return { ...verdict, why: `${verdict.why}; the gateway says: ${edge.why}` };
}

function judge(node: NodeFacts, memory: NodeMemory, chain: ChainFacts, now: { readonly options: HealOptions; readonly nowMs: number; readonly chainVerdict: Verdict | null }): Verdict {
  const { options, nowMs } = now;
  if (node.wish !== 'running') return { kind: 'stopped', why: `${node.wish} by wish` };
  if (node.process.state === 'unknown') return { kind: 'unknown', why: 'its driver cannot tell whether it runs' };
  if (node.data.damage !== null) return { kind: 'dataCorrupt', why: node.data.damage };
  if (node.process.state !== 'running') return goneVerdict(node, memory, options);
  if (node.disk !== null && node.disk.freeBytes < options.minFreeBytes) return { kind: 'diskFull', why: `${node.disk.freeBytes} bytes free, ${options.minFreeBytes} wanted` };
  const own = runningVerdict(node, chain, options, nowMs);
  if (now.chainVerdict === null) return own;
  if (own.kind === 'healthy' || own.kind === 'starting') return { ...own, why: `${own.why}; ${now.chainVerdict.why}` };
  // a node that hangs while others answer hangs, halted chain or not
  return own.kind === 'unresponsive' && now.chainVerdict.kind === 'chainHalted' ? own : now.chainVerdict;
}
