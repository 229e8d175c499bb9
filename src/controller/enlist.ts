import { upstreamOfNode } from '../config/nodeUpstreams.ts';
import type { Config, NodeConfig } from '../config/schema.ts';
import type { JournalEntry } from '../observe/journal.ts';
import type { Logger } from '../observe/log.ts';
import type { EdgeChain, EdgeClient } from './edge.ts';
import type { NodeRoster } from './roster.ts';

const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 60_000;

export interface EnlistParts {
  readonly config: Pick<Config, 'chains'>;
  readonly edge: Pick<EdgeClient, 'enlist' | 'delist'>;
  readonly roster: Pick<NodeRoster, 'departed' | 'confirmDeparted'>;
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly onPoint: (point: string) => void;
  readonly tell: (entry: Omit<JournalEntry, 'at'>) => void;
}

/**
 * Keeps the gateway's list of one chain's upstreams in line with the nodes that are kept: one that it lacks is put on it,
 * after each of its restarts too; one whose node was removed is taken off. Looks at what there is, and remembers only
 * when to try again.
 */
export class Enlister {
  readonly #chain: string;
  readonly #parts: EnlistParts;
  readonly #waits = new Map<string, { readonly untilMs: number; readonly ms: number }>();
  #underWay: Promise<void> | null = null;

  constructor(chain: string, parts: EnlistParts) {
    this.#chain = chain;
    this.#parts = parts;
  }

  /** Begins what is due after a look; at most one change at a time. @param told null when the gateway cannot be asked */
  sync(nodes: readonly NodeConfig[], told: EdgeChain | null): void {
    if (told === null || this.#underWay !== null) return;
    const { roster, edge, config } = this.#parts;
    const gone = roster.departed.filter(({ chain }) => chain === this.#chain);
    for (const { upstream } of gone) if (!told.upstreams.has(upstream)) roster.confirmDeparted(this.#chain, upstream);
    const stray = gone.find(({ upstream }) => told.upstreams.has(upstream) && this.#isDue(upstream));
    if (stray !== undefined) return this.#begin('delist', { node: stray.upstream, upstream: stray.upstream }, () => edge.delist(this.#chain, stray.upstream));
    const missing = nodes.find((node) => !told.upstreams.has(node.upstream ?? node.name) && this.#isDue(node.upstream ?? node.name));
    if (missing === undefined) return;
    const upstream = upstreamOfNode(missing);
    const written = config.chains.find(({ name }) => name === this.#chain)?.upstreams.find(({ name }) => name === upstream.name);
    this.#begin('enlist', { node: missing.name, upstream: upstream.name }, () => edge.enlist(this.#chain, written ?? upstream));
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  #isDue(upstream: string): boolean {
    return (this.#waits.get(upstream)?.untilMs ?? 0) <= this.#parts.nowMs();
  }

  #begin(what: 'enlist' | 'delist', { node, upstream }: { readonly node: string; readonly upstream: string }, change: () => Promise<void>): void {
    const why = what === 'enlist' ? 'the gateway does not know it' : 'it is kept no more';
    this.#underWay = this.#try(upstream, change).then((error) => {
      this.#underWay = null;
      this.#parts.tell({ chain: this.#chain, node, kind: 'step', what, why, outcome: error === null ? 'ok' : 'failed', ...(error === null ? {} : { error }) });
    });
  }

  /** What kept it from being done; null = it is. */
  async #try(upstream: string, change: () => Promise<void>): Promise<string | null> {
    const before = this.#waits.get(upstream)?.ms ?? RETRY_MIN_MS / 2;
    try {
      this.#parts.onPoint('enlist decided');
      await change();
      this.#parts.onPoint('enlist done');
      this.#waits.delete(upstream);
      return null;
    } catch (error) {
      const ms = Math.min(RETRY_MAX_MS, 2 * before);
      this.#waits.set(upstream, { untilMs: this.#parts.nowMs() + ms, ms });
      return error instanceof Error ? error.message : String(error);
    }
  }
}
