import { statfs } from 'node:fs/promises';
import type { NodeConfig } from '../config/schema.ts';
import type { NodeDriver, Observed, Usage } from '../driver/port.ts';
import type { CaptureWish, ChainFacts, CopyFacts, DataFacts, NodeFacts, RpcFacts, SnapshotFacts } from '../heal/facts.ts';
import { kindOf } from './clients.ts';
import { edgeFactsOf } from './edge.ts';
import type { EdgeChain } from './edge.ts';
import { readSigns } from './logSign.ts';
import { hashAt, lookAtNode } from './nodeRpc.ts';
import type { RpcLook, SeenBlock } from './nodeRpc.ts';
import type { NodeRecord } from './records.ts';

const LOG_LINES = 40;

/** What a restore knows of a node and a chain; where nothing can be restored there is none of it. */
export interface RestoreLook {
  dataOf(node: string): DataFacts;
  /** What a node that does not run has lost of its data, in words; null = nothing. */
  lostData(node: NodeConfig): Promise<string | null>;
  snapshotFor(chain: string): SnapshotFacts | null;
  /** Looks at the store anew. Never rejects. */
  refresh(): Promise<void>;
}

/** What captures know of a node and a chain. */
export interface CaptureLook {
  /** Undefined where nothing is captured of it. */
  copyOf(node: string): CopyFacts | undefined;
  wishFor(chain: string): CaptureWish | null;
}

/** One node with what runs it. */
export interface KeptNode {
  readonly config: NodeConfig;
  readonly driver: NodeDriver;
}

/** What a look at a chain needs from outside. */
export interface LookAsk {
  readonly nodes: readonly KeptNode[];
  /** Null when the gateway cannot be asked. */
  readonly edge: ReadonlyMap<string, EdgeChain> | null;
  readonly recordOf: (name: string) => NodeRecord;
  readonly restore: RestoreLook | null;
  readonly captures: CaptureLook;
  readonly rpcTimeoutMs: number;
  /** Hears of each node what no decision needs. */
  readonly onSeen: (name: string, usage: Usage | null, rpcMs: number | null) => void;
}

interface Seen {
  readonly observed: Observed;
  readonly rpc: RpcLook | null;
  readonly lines: readonly string[];
  readonly disk: NodeFacts['disk'];
  readonly lost: string | null;
}

const NO_DATA: DataFacts = { damage: null, staged: null, swapped: null, kept: null };
const UNASKED: RpcFacts = { askedAtMs: -1, answeredAtMs: -1, headNumber: -1, headHash: '', headMovedAtMs: -1, syncing: false, peers: null, forkedAt: -1 };

const withLoss = (data: DataFacts, lost: string | null): DataFacts => ({ ...data, damage: data.damage ?? lost });

/** Looks at all of one chain and remembers what moves: heads, and when somebody last answered. */
export class ChainLook {
  readonly #chain: string;
  readonly #nodes = new Map<string, RpcFacts>();
  /** Which run the facts are of. */
  readonly #runs = new Map<string, string>();
  #trustedNumber = -1;
  #trustedMovedAtMs = -1;
  #blockTimeMs = 0;

  constructor(chain: string) {
    this.#chain = chain;
  }

  /** Everything about the chain that decisions are made on, seen now. Never rejects. */
  async look(ask: LookAsk, nowMs: () => number): Promise<ChainFacts> {
    const told = ask.edge?.get(this.#chain);
    const seen = await Promise.all(ask.nodes.map((node) => see(node, ask)));
    // what is decided on a node that ended rests on the snapshots that there are now
    if (seen.some(({ observed }) => observed.state !== 'running')) await ask.restore?.refresh();
    const strays = await findStrays(ask.nodes, seen, told, ask.rpcTimeoutMs);
    const now = nowMs();
    const nodes = ask.nodes.map((node, i) => this.#facts(node, seen[i] as Seen, { ask, told, forkedAt: strays.get(node.config.name) ?? -1, nowMs: now }));
    this.#trust(told, nodes, now);
    return {
      name: this.#chain,
      nodes,
      trustedNumber: this.#trustedNumber,
      trustedMovedAtMs: this.#trustedMovedAtMs,
      blockTimeMs: this.#blockTimeMs,
      networkFault: networkFaultOf(nodes, now),
      snapshot: ask.restore?.snapshotFor(this.#chain) ?? null,
      paused: false,
      capture: ask.captures.wishFor(this.#chain),
    };
  }

  /** It is kept no more. */
  forget(name: string): void {
    this.#nodes.delete(name);
    this.#runs.delete(name);
  }

  #facts({ config }: KeptNode, seen: Seen, around: { readonly ask: LookAsk; readonly told: EdgeChain | undefined; readonly forkedAt: number; readonly nowMs: number }): NodeFacts {
    const { ask, told, forkedAt, nowMs } = around;
    const { wish, paused } = ask.recordOf(config.name);
    const { observed } = seen;
    const isRunning = observed.state === 'running';
    const copy = ask.captures.copyOf(config.name);
    return {
      name: config.name,
      wish,
      paused,
      process: observed,
      log: isRunning ? null : readSigns(seen.lines, kindOf(config).signs),
      rpc: this.#rpc(config.name, observed, seen.rpc, { forkedAt, nowMs }),
      edge: ask.edge === null ? null : edgeFactsOf(told, config.upstream ?? config.name),
      disk: seen.disk,
      data: withLoss(ask.restore?.dataOf(config.name) ?? NO_DATA, seen.lost),
      canResync: config.canResync,
      ...(copy === undefined ? {} : { copy }),
    };
  }

  #rpc(name: string, observed: Observed, look: RpcLook | null, now: { readonly forkedAt: number; readonly nowMs: number }): RpcFacts {
    const isSameRun = this.#runs.get(name) === observed.incarnation;
    const before = isSameRun ? (this.#nodes.get(name) ?? UNASKED) : UNASKED;
    this.#runs.set(name, observed.incarnation);
    const head = look?.head ?? null;
    const facts: RpcFacts =
      head === null
        ? { ...before, askedAtMs: now.nowMs }
        : {
            askedAtMs: now.nowMs,
            answeredAtMs: now.nowMs,
            headNumber: head.number,
            headHash: head.hash,
            headMovedAtMs: head.number > before.headNumber ? now.nowMs : before.headMovedAtMs,
            syncing: look?.syncing ?? false,
            peers: look?.peers ?? null,
            forkedAt: now.forkedAt,
          };
    this.#nodes.set(name, facts);
    return facts;
  }

  /** The gateway's word where it can be asked; else the highest head that most of those that answer have reached. */
  #trust(told: EdgeChain | undefined, nodes: readonly NodeFacts[], nowMs: number): void {
    if (told !== undefined && told.blockTimeMs > 0) this.#blockTimeMs = told.blockTimeMs;
    const heads = nodes.filter(({ rpc }) => rpc.answeredAtMs === nowMs).map(({ rpc }) => rpc.headNumber).sort((a, b) => b - a);
    const number = told?.head?.number ?? heads[Math.floor(heads.length / 2)] ?? -1;
    if (number === this.#trustedNumber || number < 0) return;
    this.#trustedNumber = number;
    this.#trustedMovedAtMs = nowMs;
  }
}

/** Nobody answers us while clients are served by several of them: the fault is on our side. */
function networkFaultOf(nodes: readonly NodeFacts[], nowMs: number): string | null {
  const running = nodes.filter((node) => node.process.state === 'running');
  const served = running.filter(({ edge }) => edge?.state === 'serving' || edge?.state === 'ramping').length;
  const silent = running.every(({ rpc }) => rpc.answeredAtMs !== nowMs);
  return silent && served >= 2 ? `none of ${running.length} nodes answers us while the gateway is served by ${served} of them` : null;
}

async function see({ config, driver }: KeptNode, { rpcTimeoutMs, restore, onSeen }: LookAsk): Promise<Seen> {
  const observed = await driver.observe(config.name);
  const isRunning = observed.state === 'running';
  const beganMs = performance.now();
  const [rpc, lines, disk, lost] = await Promise.all([
    isRunning ? lookAtNode(config.httpPort, rpcTimeoutMs) : null,
    isRunning ? [] : driver.logs(config.name, LOG_LINES).catch(() => []),
    diskOf(config.dataDir),
    isRunning ? null : (restore?.lostData(config).catch(() => null) ?? null),
  ]);
  onSeen(config.name, observed.usage, rpc?.head == null ? null : performance.now() - beganMs);
  return { observed, rpc, lines, disk, lost };
}

async function diskOf(path: string): Promise<NodeFacts['disk']> {
  try {
    const { bavail, blocks, bsize } = await statfs(path);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return null;
  }
}

/**
 * Nodes whose hash differs from the chain's at the highest block that all who answer have: from the gateway's where it is
 * of that height, else from that of a majority of at least two.
 */
async function findStrays(nodes: readonly KeptNode[], seen: readonly Seen[], told: EdgeChain | undefined, timeoutMs: number): Promise<ReadonlyMap<string, number>> {
  const heads = seen.map(({ rpc }) => rpc?.head ?? null).filter((head): head is SeenBlock => head !== null);
  if (heads.length === 0) return new Map();
  const known = told?.head ?? null;
  const top = Math.min(...heads.map(({ number }) => number));
  const height = known !== null && known.number <= top ? known.number : top;
  const hashes = await Promise.all(
    nodes.map(({ config }, i) => {
      const head = seen[i]?.rpc?.head ?? null;
      if (head === null) return null;
      return head.number === height ? head.hash : hashAt(config.httpPort, height, timeoutMs);
    }),
  );
  const right = known !== null && known.number === height ? known.hash : majority(hashes);
  const strays = new Map<string, number>();
  for (const [i, hash] of hashes.entries()) {
    const name = nodes[i]?.config.name;
    if (right !== null && hash !== null && hash !== right && name !== undefined) strays.set(name, height);
  }
  return strays;
}

function majority(hashes: readonly (string | null)[]): string | null {
  const given = hashes.filter((hash): hash is string => hash !== null);
  const counts = new Map<string, number>();
  for (const hash of given) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  for (const [hash, count] of counts) if (count >= 2 && 2 * count > given.length) return hash;
  return null;
}
