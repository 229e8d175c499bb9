import type { JudgeEvent } from '../../src/health/report.ts';
import { headAt } from '../help/heads.ts';
import type { SimCall } from './call.ts';
import { MAX_ATTEMPTS } from './gateway.ts';
import type { SimGateway } from './gateway.ts';
import { tipAt } from './node.ts';
import type { SimNode, Trouble } from './node.ts';
import type { Plan } from './plan.ts';

/** Longest time from a node's first answer to its place in the table: a probe that hangs, the next one, a beat. */
const NOTICE_MS = 4500;
/** Time for the judge to know the nodes as they are. */
const SETTLE_MS = 8000;
const WINDOW_MS = 10_000;
const OUSTED: readonly Trouble[] = ['dead', 'hang', 'lag', 'stall', 'lie', 'fork'];

/** Watches a run from outside and notes what must not be. */
export class Checks {
  readonly faults: string[] = [];
  readonly #plan: Plan;
  readonly #changes: number[];
  readonly #calls: SimCall[] = [];
  readonly #spentAt: { readonly atMs: number; readonly spent: number }[] = [];
  #sends = 0;
  #starved = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#changes = plan.nodes.map(() => 0);
  }

  onCall(call: SimCall): void {
    this.#calls.push(call);
  }

  onSend(call: SimCall): void {
    this.#sends++;
    if (call.finishes > 0) this.#fault(call.startedMs, 'a call that was over was sent');
    if (call.sends.length > MAX_ATTEMPTS) this.#fault(call.startedMs, `${call.sends.length} sends of one call`);
    if (!call.method.retryable && call.reached > 0) this.#fault(call.startedMs, `${call.method.name}, not retryable, was sent on after it may have run`);
  }

  onBeat(gateway: SimGateway, events: readonly JudgeEvent[]): void {
    const { nowMs } = gateway.world;
    for (const event of events) {
      if (event.kind !== 'state') continue;
      this.#changes[event.index] = (this.#changes[event.index] ?? 0) + 1;
      const node = this.#plan.nodes[event.index];
      const fair = event.to !== 'ejected' && event.to !== 'down';
      if (this.#plan.strict && node?.spans.length === 0 && !fair) this.#fault(nowMs, `sound node ${event.name}: ${event.why}`);
    }
    this.#spentAt.push({ atMs: nowMs, spent: gateway.budget.spent });
    this.#checkTable(gateway, nowMs);
    if (this.#plan.strict) this.#checkHead(gateway, nowMs);
  }

  /** After the run, when all calls had their time. */
  conclude(gateway: SimGateway): void {
    for (const call of this.#calls) this.#checkCall(call);
    const { spent, free, refused } = gateway.budget;
    const extra = this.#sends - this.#calls.filter((call) => call.sends.length > 0).length;
    if (extra !== spent + free) this.#fault(gateway.world.nowMs, `${extra} extra sends, ${spent} + ${free} accounted for`);
    if (this.#starved > 0 && refused === 0) this.#fault(gateway.world.nowMs, `${this.#starved} reads failed though a sound node was there`);
    this.#checkBudget();
    this.#checkFlapping();
  }

  #checkTable(gateway: SimGateway, nowMs: number): void {
    const { serving, entries } = gateway.table;
    if (nowMs > NOTICE_MS && serving.length === 0) {
      const answering = this.#plan.nodes.filter((node) => node.reachable(nowMs - NOTICE_MS, nowMs + 1));
      if (answering.length > 0) this.#fault(nowMs, `nobody serves though ${answering.map((node) => node.index).join()} answer`);
    }
    for (const index of serving) {
      const node = this.#plan.nodes[index];
      if (!((entries[index]?.weight ?? 0) > 0)) this.#fault(nowMs, `${index} serves without weight`);
      if (node !== undefined && this.#plan.strict) this.#checkOusted(node, nowMs);
      if (node?.has('wrongChain', nowMs - NOTICE_MS) !== undefined && node.has('wrongChain', nowMs) !== undefined && node.has('dead', nowMs) === undefined) {
        const span = node.has('wrongChain', nowMs);
        const known = span !== undefined && node.spans.every((other) => other === span || other.toMs < span.fromMs || other.fromMs > nowMs);
        if (known && nowMs - span.fromMs > NOTICE_MS + 2000) this.#fault(nowMs, `${index} serves on another chain`);
      }
    }
  }

  /** With a sound majority, nobody serves on who has long been dead, silent, behind, on another branch or lying. */
  #checkOusted(node: SimNode, nowMs: number): void {
    const { blockMs } = this.#plan.chain;
    const noticeMs = Math.max(2 * blockMs, 5000) + 2 * blockMs + 12_000;
    for (const kind of OUSTED) {
      const span = node.has(kind, nowMs);
      // Another trouble in between can make it look better than it is, for the time of a new judgement.
      const sole = node.spans.every((other) => other === span || other.toMs < (span?.fromMs ?? 0) || other.fromMs > nowMs);
      if (sole && span !== undefined && nowMs - span.fromMs > noticeMs) this.#fault(nowMs, `${node.index} still serves, ${kind} since ${span.fromMs.toFixed(0)}`);
    }
  }

  #checkHead(gateway: SimGateway, nowMs: number): void {
    const { trustedNumber, trustedHash } = gateway.table;
    const tip = tipAt(this.#plan.chain, nowMs);
    if (trustedNumber > tip) this.#fault(nowMs, `trusted head ${trustedNumber} over the tip ${tip}`);
    if (trustedNumber >= 0 && trustedHash !== headAt(trustedNumber).hash) this.#fault(nowMs, `trusted head on another branch: ${trustedHash}`);
    const steady = this.#plan.nodes.filter((node) => node.sound(0, nowMs)).length * 2 > this.#plan.nodes.length;
    const slackBlocks = 3 + Math.ceil((2 * NOTICE_MS) / this.#plan.chain.blockMs);
    if (steady && nowMs > SETTLE_MS && trustedNumber < tip - slackBlocks) this.#fault(nowMs, `trusted head ${trustedNumber} far below the tip ${tip}`);
  }

  #checkCall(call: SimCall): void {
    const { method, startedMs, finishes, finishedMs, result } = call;
    if (finishes !== 1) this.#fault(startedMs, `${method.name} was answered ${finishes} times`);
    if (finishedMs > startedMs + this.#plan.deadlineMs + 1) this.#fault(startedMs, `${method.name} took ${finishedMs - startedMs} ms`);
    if (call.gone !== (result?.kind === 'gone')) this.#fault(startedMs, `${method.name}: left ${call.gone}, ended ${result?.kind}`);
    if (!method.retryable && call.reached > 1) this.#fault(startedMs, `${method.name} may have run ${call.reached} times`);
    if (result?.kind !== 'fault' || !method.retryable || !this.#plan.strict || startedMs < SETTLE_MS) return;
    const ill = this.#plan.nodes.filter((node) => !node.sound(startedMs - SETTLE_MS, finishedMs)).length;
    const untroubled = this.#plan.nodes.some((node) => node.spans.length === 0 && node.tier === 0);
    if (untroubled && ill < MAX_ATTEMPTS - 1 && this.#plan.deadlineMs >= 30_000) this.#starved++;
  }

  /** In no 10 s were more sends charged than the percentage of the calls of 10 s plus the reserve. */
  #checkBudget(): void {
    const starts = this.#calls.map((call) => call.startedMs);
    let [tail, from, to] = [0, 0, 0];
    for (const { atMs, spent } of this.#spentAt) {
      while ((this.#spentAt[tail]?.atMs ?? atMs) < atMs - 0.9 * WINDOW_MS) tail++;
      while ((starts[from] ?? Number.POSITIVE_INFINITY) < atMs - 2 * WINDOW_MS) from++;
      while ((starts[to] ?? Number.POSITIVE_INFINITY) <= atMs) to++;
      const allowed = (this.#plan.budget.percent / 100) * (to - from) + this.#plan.budget.reservePerS * (WINDOW_MS / 1000);
      const charged = spent - (this.#spentAt[tail]?.spent ?? spent);
      if (charged > allowed + 1) this.#fault(atMs, `${charged} sends charged, ${allowed} allowed`);
    }
  }

  /** Each trouble that comes and goes moves a node out and in again once or twice; a slow node may go more often, ever more rarely. */
  #checkFlapping(): void {
    const spans = this.#plan.nodes.reduce((sum, node) => sum + node.spans.length, 0);
    for (const node of this.#plan.nodes) {
      // Where liars are no small minority, they can bring trouble on a sound node.
      const allowed = 2 + node.spans.length * 12 + (this.#plan.strict ? 0 : 3 * spans);
      const changes = this.#changes[node.index] ?? 0;
      if (changes > allowed) this.#fault(this.#plan.durationMs, `node ${node.index} changed its state ${changes} times, ${allowed} allowed`);
    }
  }

  #fault(atMs: number, text: string): void {
    if (this.faults.length < 20) this.faults.push(`${atMs.toFixed(0)} ms: ${text}`);
  }
}
