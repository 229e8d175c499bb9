import type { ChainFacts, NodeFacts } from './facts.ts';
import type { NodeMemory } from './memory.ts';
import type { HealOptions } from './options.ts';
import { WELL } from './ailment.ts';
import type { Verdict } from './ailment.ts';

/** Who serves, who is ill, who is out by our own doing: counted once per look and kept up while steps are planned. */
export class Capacity {
  inService: number;
  readonly ill: number;
  readonly storm: boolean;
  outByUs: number;
  readonly #verdicts: ReadonlyMap<string, Verdict>;

  constructor(chain: ChainFacts, verdicts: ReadonlyMap<string, Verdict>, memories: ReadonlyMap<string, NodeMemory>, options: HealOptions) {
    this.#verdicts = verdicts;
    this.inService = chain.nodes.filter((node) => this.serves(node)).length;
    const judged = chain.nodes.filter((node) => node.wish === 'running');
    this.ill = judged.filter((node) => !WELL.has(verdicts.get(node.name)?.kind ?? 'unknown')).length;
    this.storm = this.ill >= 2 && this.ill * 100 >= options.stormPercent * judged.length;
    this.outByUs = chain.nodes.filter((node) => isOut(memories.get(node.name))).length;
  }

  /** It is taken out of service by this look's plan. */
  leave(node: NodeFacts): void {
    if (this.serves(node)) this.inService--;
  }

  /** Clients may be served by it: the edge says so, or nobody can be asked and it looks well. */
  serves(node: NodeFacts): boolean {
    if (node.edge !== null) return node.edge.state === 'serving' || node.edge.state === 'ramping';
    return this.#verdicts.get(node.name)?.kind === 'healthy';
  }

  /** It answers its own checks. */
  answers(node: NodeFacts): boolean {
    const kind = this.#verdicts.get(node.name)?.kind;
    return kind !== undefined && kind !== 'unresponsive' && kind !== 'unknown';
  }
}

/** Its run is, or is about to be, ended by us. */
function isOut(memory: NodeMemory | undefined): boolean {
  const kind = memory?.operation?.kind;
  return kind !== undefined && kind !== 'start' && kind !== 'readmit';
}
