import type { Random } from '../base/random.ts';
import type { BlockMark, Head } from '../chain/head.ts';
import { HeadTracker } from '../chain/heads.ts';
import type { HeadOptions } from '../chain/headsOptions.ts';
import type { Outcome } from '../chain/outcome.ts';
import { chooseEjected, isCounted, passes } from './eject.ts';
import type { Accused } from './eject.ts';
import { NodeHealth } from './node.ts';
import type { HealthOptions, JudgedUpstream, PaceOptions } from './options.ts';
import { blankTable, paint } from './picture.ts';
import type { ProbeResult } from './probe.ts';
import { reportOf, wordsOf } from './report.ts';
import type { JudgeEvent, UpstreamReport } from './report.ts';
import { ProbeSchedule, probeIntervalMs } from './schedule.ts';
import { decideService } from './service.ts';
import type { UpstreamState } from './state.ts';
import type { RouteTable } from './table.ts';
import { TierSwitch } from './tiers.ts';
import { gatherMedians, judgeNode, scoreNode, watchTip } from './verdict.ts';

/** Settings of the judge of one chain. */
export interface JudgeOptions {
  readonly chain: string;
  /** Chain id that every node must have; null = not known yet, nobody is judged by it. */
  readonly chainId: number | null;
  readonly health: HealthOptions;
  readonly heads: HeadOptions;
  readonly pace: PaceOptions;
}

/** What a beat of the judge brought. */
export interface Judgement {
  /** The same object as before when nothing changed. */
  readonly table: RouteTable;
  readonly events: readonly JudgeEvent[];
  /** Nodes to probe now; each counts as under way until `onProbe`. */
  readonly dueProbes: readonly number[];
}

/** Longest interval between the probes of a node that is out of service, ms. */
const OUT_INTERVAL_MS = 1000;

/**
 * Judges the upstreams of one chain: facts in (`onOutcome`, `onProbe`, `onHead`), a route table out (`tick`).
 * Only `onOutcome` runs on the path of a request; everything else happens between requests.
 */
export class ChainJudge {
  readonly heads: HeadTracker;
  readonly #options: JudgeOptions;
  readonly #random: Random;
  readonly #nodes: NodeHealth[] = [];
  readonly #schedule: ProbeSchedule;
  readonly #tiers: TierSwitch;
  readonly #seen: { version: number; state: UpstreamState }[] = [];
  #chainId: number | null;
  #table: RouteTable;

  constructor(options: JudgeOptions, upstreams: readonly JudgedUpstream[], random: Random, nowMs: number) {
    this.#options = options;
    this.#random = random;
    this.#chainId = options.chainId;
    this.heads = new HeadTracker(options.heads);
    this.#schedule = new ProbeSchedule(options.health.probeTimeoutMs, random);
    this.#tiers = new TierSwitch(options.pace.tierReturnMs);
    this.#table = blankTable(options.chain);
    for (const upstream of upstreams) this.add(upstream, nowMs);
  }

  /** Adds an upstream at runtime; its index is never used for another one. */
  add(upstream: JudgedUpstream, nowMs: number): number {
    const index = this.#nodes.length;
    const setup = { health: this.#options.health, pace: this.#options.pace, random: this.#random };
    const node = new NodeHealth(index, upstream, setup, nowMs);
    this.#nodes.push(node);
    this.#seen.push({ version: 0, state: node.machine.state });
    this.#schedule.add(index, nowMs);
    return index;
  }

  /** Takes an upstream out for good; its entry stays in the table, without weight. */
  remove(index: number): void {
    const node = this.#nodes[index];
    if (node === undefined) return;
    node.removed = true;
    this.#schedule.remove(index);
    this.heads.forget(index);
  }

  /** The chain id that was learnt from the nodes. */
  setChainId(chainId: number): void {
    this.#chainId = chainId;
  }

  /** A node said that it lacks a method. @param methods how many methods the catalogue has */
  learnUnsupported(index: number, methodIndex: number, methods: number, nowMs: number): void {
    this.#nodes[index]?.learnt.onUnsupported(methodIndex, methods, nowMs);
  }

  /** A node lacks the state of a block far below the head. */
  learnPruned(index: number, block: number, nowMs: number): void {
    this.#nodes[index]?.learnt.onPruned(block, nowMs);
  }

  /** Hot: one attempt ended. True when a probe became urgent: a beat now brings it forward. */
  onOutcome(index: number, outcome: Outcome, latencyMs: number, nowMs: number): boolean {
    const urgent = this.#nodes[index]?.onOutcome(outcome, latencyMs, nowMs) ?? false;
    return urgent && this.#schedule.hurry(index, nowMs);
  }

  /** A probe ended. True when a beat now would change something that cannot wait: the node went down, or answers again. */
  onProbe(index: number, result: ProbeResult, nowMs: number): boolean {
    const node = this.#nodes[index];
    if (node === undefined || node.removed) return false;
    const before = node.machine.state;
    const answered = node.answers;
    if (result.kind === 'ok') this.#onProbeOk(node, result, nowMs);
    else {
      node.onProbeFailed(result.kind, nowMs);
      if (node.machine.state === 'down' || node.machine.state === 'cordoned') this.heads.forget(index);
    }
    const interval = probeIntervalMs(this.#options.health.probeIntervalMs, this.heads.blockTimeMs);
    this.#schedule.onResult(index, node.machine.serves ? interval : Math.min(interval, OUT_INTERVAL_MS), nowMs);
    return node.machine.state !== before || node.answers !== answered;
  }

  /** A node told its head, by probe or subscription. */
  onHead(index: number, head: Head, nowMs: number): void {
    const node = this.#nodes[index];
    if (node === undefined || node.removed || node.wrongChain) return;
    node.heard(nowMs);
    this.heads.onHead(index, head, nowMs);
    this.heads.mute(index, node.syncing);
    node.lag.onReport(head.number, this.heads.trusted()?.number ?? -1, nowMs);
    node.fork.onReport();
    node.ahead.onReport();
  }

  /** A node told of a new block by itself, `delayMs` after the first that did. */
  onArrival(index: number, delayMs: number, nowMs: number): void {
    this.#nodes[index]?.arrival.onTold(delayMs, this.heads.blockTimeMs, nowMs);
  }

  /** Brings the probes of all nodes in service forward. True when a beat now would start one. */
  look(nowMs: number): boolean {
    let due = false;
    for (const index of this.#table.serving) due = this.#schedule.hurry(index, nowMs) || due;
    return due;
  }

  /** Heights whose hashes the next probe of the node should bring (`ProbeOk.marks`); mostly none. */
  checkNumbers(index: number): readonly number[] {
    return this.heads.checkNumbers(index);
  }

  cordon(index: number, nowMs: number): void {
    this.#nodes[index]?.machine.cordon(nowMs);
  }

  uncordon(index: number, nowMs: number): void {
    this.#nodes[index]?.machine.uncordon(nowMs);
  }

  /** Changes what share of the traffic a node gets from the next beat on. @param weight as in the config; 0 = none */
  setWeight(index: number, weight: number): void {
    const node = this.#nodes[index];
    if (node !== undefined) node.weight = weight;
  }

  /** Another configuration for a node that goes by the same name, from the next beat on. */
  configure(index: number, upstream: JudgedUpstream): void {
    this.#nodes[index]?.configure(upstream);
  }

  /** Draws the conclusions of all facts. Cold: a few times per second, and after `onOutcome` or `onProbe` said so. */
  tick(nowMs: number): Judgement {
    const events: JudgeEvent[] = [];
    const active = this.#nodes.filter((node) => !node.removed);
    this.heads.expect(active.filter((node) => node.answers || !node.probed).length);
    for (const head of this.heads.tick(nowMs)) events.push({ kind: 'head', head });
    this.#judgeAll(active, nowMs);
    for (const node of active) this.#noteState(node, events, nowMs);
    const service = decideService(this.#nodes, this.#tiers, this.#options.health.ejection, nowMs);
    if (service.panic !== this.#table.panic) {
      events.push({ kind: 'panic', on: service.panic, serving: service.serving.length, total: active.length });
    }
    this.#table = paint(this.#table, this.#nodes, this.heads, { ...service, nowMs });
    return { table: this.#table, events, dueProbes: this.#schedule.takeDue(nowMs) };
  }

  /** Every node that answers says that it is syncing. */
  get syncing(): boolean {
    const answering = this.#nodes.filter((node) => !node.removed && node.answers && !node.wrongChain);
    return answering.length > 0 && answering.every((node) => node.syncing);
  }

  /** When the next probe is due; a beat before that is only worth it after `onOutcome` or `onProbe` said so. */
  nextProbeMs(): number {
    return this.#schedule.nextMs();
  }

  /** The picture of the last `tick`. */
  get table(): RouteTable {
    return this.#table;
  }

  /** All configured upstreams, told for people. */
  snapshot(nowMs: number): readonly UpstreamReport[] {
    return this.#nodes.filter((node) => !node.removed).map((node) => reportOf(node, this.heads, this.#table.entries[node.index]?.weight ?? 0, nowMs));
  }

  #onProbeOk(node: NodeHealth, result: Extract<ProbeResult, { kind: 'ok' }>, nowMs: number): void {
    node.onProbeOk(result, this.#chainId, nowMs);
    if (node.wrongChain) {
      this.heads.forget(node.index);
      node.machine.onGoodProbe(false, nowMs);
      return;
    }
    this.onHead(node.index, result.head, nowMs);
    for (const mark of result.marks ?? []) this.heads.onMark(node.index, mark);
    const finalized: BlockMark | undefined = result.finalized;
    if (finalized !== undefined) this.heads.onFinalized(node.index, finalized);
    // Out of service, a doubt is enough to stay there.
    const fit = node.verdict === null && this.heads.forkedAt(node.index) < 0 && result.head.number <= this.heads.ceiling(nowMs);
    node.machine.onGoodProbe(fit, nowMs);
  }

  #judgeAll(active: readonly NodeHealth[], nowMs: number): void {
    const { health } = this.#options;
    const maxMs = health.lag.maxMs || this.heads.stallMs;
    for (const node of active) node.latency.tick(nowMs);
    const view = { options: health, medians: gatherMedians(active, health.latency.minSamples), blockTimeMs: this.heads.blockTimeMs };
    const accused: Accused[] = [];
    for (const node of active) {
      watchTip(node, this.heads, maxMs, nowMs);
      node.verdict = node.answers ? judgeNode(node, this.heads, view, nowMs) : null;
      scoreNode(node, view, nowMs);
      node.pace.update(node.latency);
      node.learnt.expire(nowMs);
      node.machine.tick(nowMs);
      this.#apply(node, accused, nowMs);
    }
    const court = active.filter((node) => node.answers && !node.wrongChain && node.machine.state !== 'cordoned');
    const out = court.filter((node) => !node.machine.serves).length;
    for (const { index, reason } of chooseEjected(accused, court.length, out, health.ejection)) {
      this.#nodes[index]?.machine.eject(reason, passes(reason), nowMs);
    }
  }

  /** What the verdict means for one node; those in service go before the limit first. */
  #apply(node: NodeHealth, accused: Accused[], nowMs: number): void {
    const { machine, verdict, index } = node;
    if (node.wrongChain) machine.eject('wrong-chain', true, nowMs);
    else if (machine.serves) {
      if (verdict !== null) accused.push({ index, ...verdict });
    } else if (machine.state === 'ejected') {
      if (verdict !== null && !isCounted(verdict.reason)) machine.eject(verdict.reason, passes(verdict.reason), nowMs);
      else if (machine.release(nowMs)) node.forgive();
    }
  }

  #noteState(node: NodeHealth, events: JudgeEvent[], nowMs: number): void {
    const { machine, upstream, index } = node;
    const seen = this.#seen[index];
    if (seen === undefined || seen.version === machine.version) return;
    events.push({ kind: 'state', index, name: upstream.name, from: seen.state, to: machine.state, reason: machine.reason, why: wordsOf(node, nowMs) });
    seen.version = machine.version;
    seen.state = machine.state;
  }
}
