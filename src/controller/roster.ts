import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { expandEnvironment } from '../config/expand.ts';
import type { Environment } from '../config/expand.ts';
import { configFromValue } from '../config/parse.ts';
import type { Problem } from '../config/problem.ts';
import { pathText, problemText } from '../config/problem.ts';
import type { Config, NodeConfig } from '../config/schema.ts';
import { readWhole, writeWhole } from './wholeFile.ts';

/** An upstream that a node backed which is kept no more. */
export interface Departed {
  readonly chain: string;
  readonly upstream: string;
}

interface Saved {
  /** As they were given: secrets stay names of variables. */
  readonly added: readonly Record<string, unknown>[];
  /** Of the configuration. */
  readonly removed: readonly string[];
  /** Off the gateway's list as soon as it can be asked. */
  readonly departed: readonly Departed[];
}

const VERSION = 1;
const MAX_DEPARTED = 256;
const EMPTY: Saved = { added: [], removed: [], departed: [] };

const upstreamOf = ({ upstream, name }: NodeConfig): string => upstream ?? name;

/**
 * The nodes that are kept: those of the configuration, without those that were removed at runtime, and those that were
 * added. What was changed is in one file that outlives the controller.
 */
export class NodeRoster {
  nodes: readonly NodeConfig[];
  readonly #path: string;
  readonly #config: Config;
  readonly #env: Environment;
  #saved: Saved;

  /** @throws Error when the file is not ours, or what was added does not go with the configuration any more */
  constructor(path: string, config: Config, env: Environment) {
    this.#path = path;
    this.#config = config;
    this.#env = env;
    const saved = readSaved(path);
    const own = new Set(config.nodes.map(({ name }) => name));
    // what was written into the configuration since is there twice
    const added = saved.added.filter(({ name }) => !own.has(String(name)) || saved.removed.includes(String(name)));
    this.#saved = { ...saved, added, removed: saved.removed.filter((name) => own.has(name)) };
    const read = this.#read(added);
    if ('problems' in read) throw new Error(`nodes that were added at runtime cannot be kept: ${read.problems.map((problem) => problemText(problem, path)).join('; ')}`);
    this.nodes = read.nodes;
  }

  /** Upstreams that the gateway must not have any more. */
  get departed(): readonly Departed[] {
    const removed = this.#config.nodes.filter(({ name }) => this.#saved.removed.includes(name));
    const all = [...this.#saved.departed, ...removed.map((node) => ({ chain: node.chain, upstream: upstreamOf(node) }))];
    return all.filter(({ chain, upstream }) => !this.nodes.some((node) => node.chain === chain && upstreamOf(node) === upstream));
  }

  /** What one more node would be, or what is wrong with it; nothing is changed. */
  check(node: Readonly<Record<string, unknown>>): { readonly node: NodeConfig; readonly nodes: readonly NodeConfig[] } | { readonly problems: readonly Problem[] } {
    const read = this.#read([...this.#saved.added, node]);
    const last = 'nodes' in read ? read.nodes.at(-1) : undefined;
    return 'problems' in read ? read : { nodes: read.nodes, node: last as NodeConfig };
  }

  /** Keeps one more node from now on. @throws Error when it cannot be written down */
  add(node: Readonly<Record<string, unknown>>): NodeConfig | { readonly problems: readonly Problem[] } {
    const read = this.check(node);
    if ('problems' in read) return read;
    const departed = this.#saved.departed.filter(({ chain, upstream }) => chain !== read.node.chain || upstream !== upstreamOf(read.node));
    this.#save({ ...this.#saved, added: [...this.#saved.added, node], departed });
    this.nodes = read.nodes;
    return read.node;
  }

  /** Keeps a node no more. @throws Error when it cannot be written down */
  drop(name: string): void {
    const node = this.nodes.find((one) => one.name === name);
    if (node === undefined) return;
    const { added, removed, departed } = this.#saved;
    const isAdded = added.some((one) => one.name === name);
    this.#save({
      added: added.filter((one) => one.name !== name),
      removed: isAdded ? removed : [...removed, name],
      departed: isAdded ? [...departed, { chain: node.chain, upstream: upstreamOf(node) }].slice(-MAX_DEPARTED) : departed,
    });
    this.nodes = this.nodes.filter((one) => one !== node);
  }

  /** The gateway does not have it any more. */
  confirmDeparted(chain: string, upstream: string): void {
    const departed = this.#saved.departed.filter((one) => one.chain !== chain || one.upstream !== upstream);
    if (departed.length < this.#saved.departed.length) this.#save({ ...this.#saved, departed });
  }

  #read(added: readonly Readonly<Record<string, unknown>>[]): { readonly nodes: readonly NodeConfig[] } | { readonly problems: readonly Problem[] } {
    const base = this.#config.nodes.filter(({ name }) => !this.#saved.removed.includes(name));
    const { value, findings } = expandEnvironment(added, this.#env);
    if (findings.length > 0) return { problems: findings.map(({ path, message }) => ({ path: pathText(path.slice(1)), line: 0, column: 0, message })) };
    const result = configFromValue({ ...this.#config, nodes: [...base, ...(value as object[])] });
    const own = `nodes[${base.length + added.length - 1}]`;
    if (!result.ok) return { problems: result.problems.map((problem) => ({ ...problem, path: problem.path.replace(`${own}.`, '').replace(own, '') })) };
    const clash = nested(result.config.nodes);
    return clash === null ? { nodes: result.config.nodes } : { problems: [{ path: 'dataDir', line: 0, column: 0, message: clash }] };
  }

  #save(saved: Saved): void {
    writeWhole(this.#path, JSON.stringify({ version: VERSION, ...saved }));
    this.#saved = saved;
  }
}

/** A data directory as the file system knows it, also where it does not exist yet. */
function realPath(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    const parent = dirname(whole);
    return parent === whole ? whole : join(realPath(parent), basename(whole));
  }
}

/** Two nodes whose data would be in each other's; null = none. */
function nested(nodes: readonly NodeConfig[]): string | null {
  const dirs = nodes.map(({ dataDir }) => `${realPath(dataDir)}${sep}`);
  for (const [i, one] of dirs.entries()) {
    const j = dirs.findIndex((other, at) => at !== i && one.startsWith(other));
    if (j >= 0) return `the data directory of ${nodes[i]?.name ?? ''} is in that of ${nodes[j]?.name ?? ''}`;
  }
  return null;
}

function readSaved(path: string): Saved {
  const text = readWhole(path);
  if (text === null) return EMPTY;
  const { version, added, removed, departed } = JSON.parse(text) as Partial<Saved> & { version?: unknown };
  if (version !== VERSION || !Array.isArray(added) || !Array.isArray(removed) || !Array.isArray(departed)) throw new Error(`${path}: not a record of this version; move it away to start anew`);
  return { added, removed, departed } as Saved;
}
