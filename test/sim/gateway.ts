import { seededRandom } from '../../src/base/random.ts';
import type { Outcome } from '../../src/chain/outcome.ts';
import { ChainJudge } from '../../src/health/judge.ts';
import type { RouteTable } from '../../src/health/table.ts';
import type { AttemptShared } from '../../src/route/attemptPort.ts';
import { LoadBook } from '../../src/route/loadBook.ts';
import { Ranker } from '../../src/route/rank.ts';
import { RetryBudget } from '../../src/route/retryBudget.ts';
import { HEALTH, JUDGE, upstreamOf } from '../help/judge.ts';
import type { SimCall } from './call.ts';
import type { Checks } from './checks.ts';
import type { Plan } from './plan.ts';
import type { VirtualWorld } from './world.ts';

const BEAT_MS = 100;
export const MAX_ATTEMPTS = 4;

/** The production judge, ranker and budget, composed as the gateway does it, in virtual time. */
export class SimGateway {
  readonly plan: Plan;
  readonly world: VirtualWorld;
  readonly checks: Checks;
  readonly judge: ChainJudge;
  readonly book: LoadBook;
  readonly ranker: Ranker;
  readonly budget: RetryBudget;
  readonly shared: AttemptShared;
  readonly running = new Set<SimCall>();
  table: RouteTable;
  #rushing = false;

  constructor(plan: Plan, world: VirtualWorld, checks: Checks) {
    this.plan = plan;
    this.world = world;
    this.checks = checks;
    const upstreams = plan.nodes.map((node) => upstreamOf(`n${node.index}`, { tier: node.tier }));
    this.judge = new ChainJudge({ ...JUDGE, heads: { ...JUDGE.heads, blockTimeMs: 0 } }, upstreams, seededRandom(plan.seed ^ 0x5eed), 0);
    this.table = this.judge.table;
    this.book = new LoadBook(upstreams.length);
    this.ranker = new Ranker(this.book, 0.25);
    this.budget = new RetryBudget(plan.budget);
    this.shared = { options: { maxAttempts: MAX_ATTEMPTS, maxHedges: 1, nullRetry: true }, budget: this.budget, book: this.book };
  }

  start(): void {
    this.beat();
    this.world.after(BEAT_MS, () => this.start());
  }

  count(index: number, outcome: Outcome, latencyMs: number): void {
    if (this.judge.onOutcome(index, outcome, latencyMs, this.world.nowMs)) this.#rush();
  }

  beat(): void {
    const before = this.table;
    const { table, events, dueProbes } = this.judge.tick(this.world.nowMs);
    this.table = table;
    const left = before.serving.filter((index) => !table.serving.includes(index));
    if (left.length > 0) for (const call of [...this.running]) call.onLeft(left);
    this.checks.onBeat(this, events);
    for (const index of dueProbes) this.#probe(index);
  }

  #probe(index: number): void {
    const { nowMs } = this.world;
    const told = this.plan.nodes[index]?.probe(this.judge.checkNumbers(index), nowMs, HEALTH.probeTimeoutMs);
    if (told === undefined) return;
    this.world.after(told.atMs - nowMs, () => {
      if (told.result.kind === 'ok') this.book.answered(index);
      if (this.judge.onProbe(index, told.result, this.world.nowMs)) this.#rush();
    });
  }

  #rush(): void {
    if (this.#rushing) return;
    this.#rushing = true;
    this.world.after(0, () => {
      this.#rushing = false;
      this.beat();
    });
  }
}
