import { seededRandom } from '../../../src/base/random.ts';
import type { Random } from '../../../src/base/random.ts';
import type { ChainFacts } from '../../../src/heal/facts.ts';
import { BLANK } from '../../../src/heal/memory.ts';
import type { NodeMemory } from '../../../src/heal/memory.ts';
import type { Step } from '../../../src/heal/operation.ts';
import type { HealOptions } from '../../../src/heal/options.ts';
import { planChain } from '../../../src/heal/plan.ts';
import type { NodePlan } from '../../../src/heal/plan.ts';
import { withFailure, withoutFailure } from '../../../src/heal/undo.ts';
import { SimNode } from './node.ts';
import type { Ill, SimChain } from './node.ts';

export const OPTIONS: HealOptions = {
  startGraceMs: 20_000,
  unresponsiveMs: 10_000,
  stallMs: 15_000,
  lagBlocks: 5,
  shortRunMs: 30_000,
  crashLoopRuns: 3,
  chainHaltedMs: 60_000,
  minFreeBytes: 1e6,
  confirmMs: 3000,
  maxFactsAgeMs: 10_000,
  drainTimeoutMs: 10_000,
  patienceMs: 300_000,
  backoffMinMs: 5000,
  backoffMaxMs: 120_000,
  maxAttemptsPerDay: 24,
  maxUnavailable: 1,
  minInService: 1,
  stormPercent: 50,
  probation: { samples: 3, newBlocks: 2, timeoutMs: 120_000 },
  ramp: { percents: [1, 5, 25, 100], stepMs: 2000 },
};

const ILLS: readonly Ill[] = ['kill', 'kill', 'kill', 'hang', 'hang', 'lag', 'stallRun', 'portTaken', 'corrupt', 'badBranch', 'badConfig', 'diskFull'];
const OF_EDGE: ReadonlySet<Step['kind']> = new Set<Step['kind']>(['cordon', 'uncordon', 'weight', 'delist']);
/** Nobody cures these from here. */
const BEYOND: ReadonlySet<Ill> = new Set<Ill>(['badConfig', 'diskFull']);

/** A chain of nodes, faults from a seed, and a controller that forgets, dies and doubles its steps. */
export class SimCluster {
  readonly faults: string[] = [];
  readonly trace: string[] = [];
  readonly nodes: SimNode[];
  readonly beyond = new Set<string>();
  memories = new Map<string, NodeMemory>();
  nowMs = 1_000_000;
  readonly options: HealOptions;
  readonly #chain: SimChain;
  readonly #random: Random;
  #edgeDownUntilMs = 0;
  /** The gateway can be asked, and refuses every change: the token is wrong. */
  #edgeRefusesUntilMs = 0;
  #haltedUntilMs = 0;
  #controllerDownUntilMs = 0;
  #diesBefore: Step['kind'] | null = null;
  readonly #quiet: boolean;

  constructor(seed: number, shape: { readonly nodes?: number; readonly quiet?: boolean } = {}) {
    this.#random = seededRandom(seed);
    const count = shape.nodes ?? 2 + Math.floor(this.#random() * 5);
    this.#quiet = shape.quiet ?? false;
    this.options = { ...OPTIONS, minInService: this.#quiet ? 1 : Math.floor(this.#random() * Math.min(3, count)), maxUnavailable: this.#quiet ? 1 : 1 + Math.floor(this.#random() * 2) };
    this.nodes = Array.from({ length: count }, (_, i) => new SimNode(`n${i}`, this.nowMs - 60_000));
    if (!this.#quiet) for (const node of this.nodes) node.edgeNoticesMs = this.#random() < 0.4 ? this.#random() * 120_000 : 0;
    this.#chain = { head: 100, movedAtMs: this.nowMs };
    for (let i = 0; i < 10; i++) this.#world();
  }

  /** @param faultMs faults befall nodes for so long; then `restMs` to come to rest */
  run(faultMs: number, restMs: number): void {
    const end = this.nowMs + faultMs;
    while (this.nowMs < end) {
      if (!this.#quiet) this.#misfortune();
      this.second();
    }
    for (const node of this.nodes) {
      node.lags = false;
      if (node.wish === 'stopped') node.wish = 'running';
    }
    this.#edgeDownUntilMs = 0;
    this.#edgeRefusesUntilMs = 0;
    this.#haltedUntilMs = 0;
    const rest = this.nowMs + restMs;
    while (this.nowMs < rest) this.second();
  }

  /** The chain makes no block for so long. */
  halt(ms: number): void {
    this.#haltedUntilMs = this.nowMs + ms;
  }

  /** The gateway cannot be asked for so long. */
  hideEdge(ms: number): void {
    this.note('! the gateway cannot be asked');
    this.#edgeDownUntilMs = this.nowMs + ms;
  }

  /** The controller dies right before it takes its next step of the kind, and is back 5 s later. */
  dieBefore(kind: Step['kind']): void {
    this.#diesBefore = kind;
  }

  second(): void {
    this.#world();
    if (this.nowMs >= this.#controllerDownUntilMs) this.#look();
  }

  #world(): void {
    this.nowMs += 1000;
    if (this.nowMs >= this.#haltedUntilMs && this.nowMs % 2000 === 0 && this.nodes.some((node) => node.run !== null && !node.hangs)) {
      this.#chain.head++;
      this.#chain.movedAtMs = this.nowMs;
    }
    for (const node of this.nodes) node.live(this.#chain, this.nowMs);
  }

  #misfortune(): void {
    const random = this.#random;
    if (random() < 0.02) {
      const ill = ILLS[Math.floor(random() * ILLS.length)] ?? 'kill';
      const node = this.nodes[Math.floor(random() * this.nodes.length)];
      if (node !== undefined) {
        if (BEYOND.has(ill)) this.beyond.add(node.name);
        this.note(`! ${node.name}: ${ill}`);
        node.badSnapshot = random() < 0.2;
        node.befall(ill, this.nowMs, random);
      }
    }
    if (random() < 0.002) this.#edgeDownUntilMs = this.nowMs + random() * 30_000;
    if (random() < 0.001) this.#edgeRefusesUntilMs = this.nowMs + random() * 60_000;
    if (random() < 0.001) this.#haltedUntilMs = this.nowMs + random() * 180_000;
    if (random() < 0.001) this.#edgeStartsAnew();
    if (random() < 0.003) this.#operator();
    if (random() < 0.005) this.#controllerDownUntilMs = this.nowMs + random() * 20_000;
  }

  /** It forgets cordons and weights. */
  #edgeStartsAnew(): void {
    this.note('! the edge starts anew');
    for (const node of this.nodes) {
      node.cordoned = false;
      node.percent = 100;
      node.edgeState = 'probation';
      node.edgeGoodSinceMs = -1;
    }
  }

  #operator(): void {
    const node = this.nodes[Math.floor(this.#random() * this.nodes.length)];
    if (node === undefined || node.wish === 'removed') return;
    node.wish = node.wish === 'stopped' ? 'running' : this.#random() < 0.3 ? 'removed' : 'stopped';
    this.note(`! ${node.name}: is to be ${node.wish}`);
  }

  facts(): ChainFacts {
    const edgeUp = this.nowMs >= this.#edgeDownUntilMs;
    return {
      name: 'sim',
      nodes: this.nodes.map((node) => node.facts(this.nowMs, edgeUp)),
      trustedNumber: this.#chain.head,
      trustedMovedAtMs: this.#chain.movedAtMs,
      blockTimeMs: 2000,
      networkFault: null,
      snapshot: { id: 's1', headNumber: 50, sizeBytes: 1000, restoreMs: 5000 },
      paused: false,
    };
  }

  #look(): void {
    const chain = this.facts();
    const ask = { chain, memories: this.memories, options: this.options, nowMs: this.nowMs, jitter: () => 0.5 };
    const plan = planChain(ask);
    if (JSON.stringify(planChain(ask)) !== JSON.stringify(plan)) this.fault('the same facts gave another plan');
    // what is remembered is written before anything is done
    this.memories = new Map(plan.nodes.map((one) => [one.node, one.memory]));
    for (const one of plan.nodes) {
      if (one.step === null) continue;
      this.note(`  ${one.node}: ${stepWords(one.step)} (${one.why})`);
      if (one.step.kind === this.#diesBefore) {
        this.note(`! the controller dies before the ${one.step.kind}`);
        this.#diesBefore = null;
        this.#controllerDownUntilMs = this.nowMs + 5000;
        continue;
      }
      const chance = this.#quiet ? 1 : this.#random();
      if (chance < 0.03) this.#controllerDownUntilMs = this.nowMs + 5000;
      if (chance < 0.06) continue;
      const times = chance < 0.1 ? 2 : 1;
      for (let i = 0; i < times; i++) this.#take(one, one.step, plan.storm);
    }
  }

  #take(plan: NodePlan, step: Step, storm: boolean): void {
    const node = this.nodes.find(({ name }) => name === plan.node);
    if (node === undefined) return;
    const edgeUp = this.nowMs >= this.#edgeDownUntilMs;
    if (node.paused) this.fault(`${node.name}: a step while paused`);
    const memory = this.memories.get(node.name) ?? BLANK;
    if (edgeUp && OF_EDGE.has(step.kind) && this.nowMs < this.#edgeRefusesUntilMs) return void this.memories.set(node.name, withFailure(memory, step.kind, 'refused'));
    this.memories.set(node.name, withoutFailure(memory, step.kind));
    if (step.kind === 'cordon' && edgeUp) {
      const serving = this.nodes.filter((one) => one.serves).length;
      const lowers = node.serves && node.run !== null && node.wish === 'running';
      if (lowers && serving - 1 < this.options.minInService) this.fault(`${node.name}: cordoned with ${serving} serving`);
      if (lowers && storm) this.fault(`${node.name}: taken out in a storm`);
      node.cordoned = true;
    } else if (step.kind === 'stop') {
      if (node.incarnation !== step.incarnation) return;
      if (edgeUp && !node.cordoned) this.fault(`${node.name}: stopped before it was cordoned`);
      node.end(this.nowMs, null);
    } else if (step.kind === 'stage') node.staged = step.operationId;
    else if (step.kind === 'swap') {
      if (node.run !== null) this.fault(`${node.name}: data swapped under a running process`);
      node.swapped = step.operationId;
      node.corrupt = node.badSnapshot;
      node.branch = false;
      node.head = 60;
    } else if (step.kind === 'swapBack') {
      if (node.run !== null) this.fault(`${node.name}: data swapped back under a running process`);
      node.swapped = null;
      node.corrupt = true;
    } else if (step.kind === 'discard') {
      node.swapped = null;
      node.staged = null;
    } else if (step.kind === 'start') {
      if (node.run === null) node.boot(this.nowMs);
    } else if (step.kind === 'weight' && edgeUp) node.percent = step.percent;
    else if (step.kind === 'delist' && edgeUp) {
      if (node.run !== null) this.fault(`${node.name}: taken off the list while it runs`);
      node.listed = false;
    } else if (step.kind === 'forget') this.#replace(node);
    else if (step.kind === 'uncordon' && edgeUp) node.cordoned = false;
  }

  /** Forgotten, and added again under the same name. */
  #replace(node: SimNode): void {
    if (node.wish !== 'removed') return;
    if (node.run !== null) this.fault(`${node.name}: forgotten while it runs`);
    this.memories.delete(node.name);
    node.wish = 'running';
    node.ended = null;
    node.listed = true;
    node.cordoned = false;
    node.percent = 100;
    node.edgeState = 'down';
  }

  fault(what: string): void {
    this.faults.push(`at ${(this.nowMs - 1_000_000) / 1000} s: ${what}`);
  }

  note(line: string): void {
    this.trace.push(`${String((this.nowMs - 1_000_000) / 1000).padStart(5)} ${line}`);
  }

  /** After the rest: everyone serves at full weight, or a human was called for good reason. */
  conclude(): void {
    for (const node of this.nodes) {
      const memory = this.memories.get(node.name);
      const well = node.serves && node.percent === 100 && memory?.operation === null;
      if (!well && memory?.human == null) this.fault(`${node.name}: neither back nor given to a human (${JSON.stringify(memory)})`);
      if (well && this.beyond.has(node.name) && !node.config) this.fault(`${node.name}: serves with a bad config?`);
      if ((memory?.attempts.length ?? 0) > this.options.maxAttemptsPerDay) this.fault(`${node.name}: ${memory?.attempts.length} attempts`);
    }
    const outs = [...this.memories.values()].filter(({ operation }) => operation !== null).length;
    if (outs > this.nodes.length) this.fault('more operations than nodes');
  }
}

function stepWords(step: Step): string {
  if (step.kind === 'weight') return `weight ${step.percent}`;
  return step.kind;
}
