import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ChainFacts, NodeFacts } from '../heal/facts.ts';
import type { ChainPlan } from '../heal/plan.ts';

const PREFIX = 'tidegate_';
const NODE = ['chain', 'node'] as const;

/** Every metric of the controller: name without prefix, labels, help. `docs/controller.md` lists the same; a test compares. */
export const CONTROLLER_METRICS = {
  state: ['node_state', [...NODE, 'state'], '1 for what the driver sees of the node, 0 for the others.'],
  verdict: ['node_verdict', [...NODE, 'verdict'], '1 for the verdict that holds; a series appears with its first time.'],
  human: ['node_human_called', NODE, '1 while a human is called for the node.'],
  runs: ['node_runs_total', NODE, 'Runs of the node that were seen, the first one too.'],
  cpu: ['node_cpu_seconds', NODE, 'Processor time of the run under way.'],
  memory: ['node_memory_bytes', NODE, 'Memory of the run under way.'],
  files: ['node_open_files', NODE, 'Open files of the run under way; absent where the driver cannot tell.'],
  diskFree: ['node_disk_free_bytes', NODE, 'Space left where its data lies.'],
  diskUsed: ['node_disk_used_bytes', NODE, 'Space that its data takes; absent until it was measured.'],
  exitCode: ['node_exit_code', NODE, 'Exit code of the last run that ended by itself; absent where a signal ended it.'],
  ends: ['node_ends_total', [...NODE, 'cause'], 'Runs that were seen to end, by cause: exit, signal or oom.'],
  logSign: ['node_log_sign', [...NODE, 'sign'], '1 for what the last lines of the ended run give away; a series appears with its first time.'],
  diskSize: ['node_disk_size_bytes', NODE, 'Size of the file system of its data.'],
  head: ['node_head_block', NODE, 'Newest block that it told of; -1 while unknown.'],
  syncing: ['node_syncing', NODE, '1 while it says that it is syncing.'],
  peers: ['node_peers', NODE, 'Peers that it told of; absent where it does not.'],
  latency: ['node_rpc_seconds', NODE, 'Time of its newest answer to a look.'],
  storm: ['heal_storm', ['chain'], '1 while so many nodes look ill that nothing may lower capacity or replace data.'],
  steps: ['heal_steps_total', ['chain', 'step', 'outcome'], 'Steps taken, by what they came to.'],
  operations: ['heal_operations_total', ['chain', 'operation', 'outcome'], 'Operations that ended, by how.'],
  duration: ['heal_duration_seconds', ['chain', 'operation'], 'Time of operations that succeeded, from the first step to full weight.'],
  captures: ['snapshot_captures_total', ['chain', 'outcome'], 'Captures that ended, by how.'],
  captureTime: ['snapshot_capture_seconds', ['chain'], 'Time of the newest capture that succeeded, from its beginning to the record of its proof.'],
  provenAt: ['snapshot_proven_timestamp_seconds', ['chain'], 'When the newest snapshot that is proven as far as the configuration asks was taken.'],
  provenHead: ['snapshot_proven_head_block', ['chain'], 'Block of that snapshot.'],
  drills: ['snapshot_drills_total', ['chain', 'outcome'], 'Drills that ended, by how.'],
  drillTime: ['snapshot_drill_seconds', ['chain'], 'Time of the newest drill that succeeded, from the first byte to the first answer of the restored node.'],
  drillAt: ['snapshot_drill_timestamp_seconds', ['chain'], 'When that drill ended.'],
  treeDamaged: ['snapshot_tree_damaged', ['chain'], '1 while a tree for mounting is not what its manifest says.'],
} as const satisfies Record<string, readonly [string, readonly string[], string]>;

type Row = keyof typeof CONTROLLER_METRICS;

const STATES = ['absent', 'running', 'exited', 'unknown'] as const;
const DURATION_BUCKETS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 14_400];

/** What a run uses, as its driver saw it. */
export interface NodeUsage {
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly openFiles: number | null;
}

/** All metrics of a controller. */
export class ControllerMetrics {
  readonly #registry = new Registry();
  readonly #gauges = new Map<Row, Gauge>();
  readonly #runs: Counter;
  readonly #ends: Counter;
  readonly #steps: Counter;
  readonly #operations: Counter;
  readonly #captures: Counter;
  readonly #drills: Counter;
  readonly #durations: Histogram;
  readonly #seenRuns = new Map<string, string>();
  readonly #verdicts = new Map<string, string>();
  readonly #signs = new Map<string, string>();
  readonly #ended = new Map<string, number>();
  /** Gauges of each node, to take them away with it. */
  readonly #series = new Map<string, Map<string, readonly [Row, Record<string, string>]>>();

  constructor() {
    const options = (row: Row) => {
      const [name, labelNames, help] = CONTROLLER_METRICS[row];
      return { name: PREFIX + name, labelNames: [...labelNames] as string[], help, registers: [this.#registry] };
    };
    for (const row of ['state', 'verdict', 'human', 'cpu', 'memory', 'files', 'diskFree', 'diskUsed', 'diskSize', 'exitCode', 'logSign', 'head', 'syncing', 'peers', 'latency', 'storm', 'captureTime', 'provenAt', 'provenHead', 'drillTime', 'drillAt', 'treeDamaged'] as const) this.#gauges.set(row, new Gauge(options(row)));
    this.#runs = new Counter(options('runs'));
    this.#ends = new Counter(options('ends'));
    this.#steps = new Counter(options('steps'));
    this.#operations = new Counter(options('operations'));
    this.#captures = new Counter(options('captures'));
    this.#drills = new Counter(options('drills'));
    this.#durations = new Histogram({ ...options('duration'), buckets: DURATION_BUCKETS });
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Takes over a look at a chain and what was decided on it. */
  look(chain: string, facts: ChainFacts, plan: ChainPlan): void {
    this.#set('storm', { chain }, plan.storm ? 1 : 0);
    for (const node of facts.nodes) this.#node(chain, node);
    for (const { node, verdict, memory } of plan.nodes) {
      const before = this.#verdicts.get(`${chain} ${node}`);
      if (before !== undefined && before !== verdict.kind) this.#set('verdict', { chain, node, verdict: before }, 0);
      this.#verdicts.set(`${chain} ${node}`, verdict.kind);
      this.#set('verdict', { chain, node, verdict: verdict.kind }, 1);
      this.#set('human', { chain, node }, memory.human === null ? 0 : 1);
    }
  }

  usage(chain: string, node: string, usage: NodeUsage | null): void {
    const labels = { chain, node };
    this.#set('cpu', labels, usage === null ? 0 : usage.cpuMs / 1000);
    this.#set('memory', labels, usage?.memoryBytes ?? 0);
    if (usage?.openFiles != null) this.#set('files', labels, usage.openFiles);
  }

  /** The series of a node that is kept no more vanish. */
  forget(chain: string, node: string): void {
    const own = `${chain} ${node}`;
    for (const [row, labels] of this.#series.get(own)?.values() ?? []) this.#gauges.get(row)?.remove(labels);
    this.#runs.remove({ chain, node });
    for (const cause of ['exit', 'signal', 'oom']) this.#ends.remove({ chain, node, cause });
    for (const kept of [this.#series, this.#seenRuns, this.#verdicts, this.#signs, this.#ended]) kept.delete(own);
  }

  diskUsed(chain: string, node: string, bytes: number): void {
    this.#set('diskUsed', { chain, node }, bytes);
  }

  latency(chain: string, node: string, tookMs: number): void {
    this.#set('latency', { chain, node }, tookMs / 1000);
  }

  step(chain: string, step: string, outcome: 'ok' | 'failed'): void {
    this.#steps.inc({ chain, step, outcome });
  }

  operation(chain: string, operation: string, outcome: 'done' | 'failed' | 'dropped', durationMs: number): void {
    this.#operations.inc({ chain, operation, outcome });
    if (outcome === 'done') this.#durations.observe({ chain, operation }, durationMs / 1000);
  }

  /** @param tookMs null = it failed */
  captured(chain: string, tookMs: number | null): void {
    this.#captures.inc({ chain, outcome: tookMs === null ? 'failed' : 'ok' });
    if (tookMs !== null) this.#set('captureTime', { chain }, tookMs / 1000);
  }

  /** @param tookMs null = it failed */
  drilled(chain: string, tookMs: number | null, nowMs: number): void {
    this.#drills.inc({ chain, outcome: tookMs === null ? 'failed' : 'ok' });
    if (tookMs === null) return;
    this.#set('drillTime', { chain }, tookMs / 1000);
    this.#set('drillAt', { chain }, nowMs / 1000);
  }

  proven(chain: string, newest: { readonly createdAtMs: number; readonly headNumber: number } | null): void {
    this.#set('provenAt', { chain }, newest === null ? 0 : newest.createdAtMs / 1000);
    this.#set('provenHead', { chain }, newest?.headNumber ?? -1);
  }

  trees(chain: string, isDamaged: boolean): void {
    this.#set('treeDamaged', { chain }, isDamaged ? 1 : 0);
  }

  #node(chain: string, facts: NodeFacts): void {
    const { name: node, process: run, rpc, disk } = facts;
    const labels = { chain, node };
    for (const state of STATES) this.#set('state', { ...labels, state }, run.state === state ? 1 : 0);
    if (run.state === 'running' && this.#seenRuns.get(`${chain} ${node}`) !== run.incarnation) {
      this.#seenRuns.set(`${chain} ${node}`, run.incarnation);
      this.#runs.inc(labels);
    }
    this.#end(labels, facts);
    this.#set('head', labels, rpc.headNumber);
    this.#set('syncing', labels, rpc.syncing ? 1 : 0);
    if (rpc.peers !== null) this.#set('peers', labels, rpc.peers);
    if (disk === null) return;
    this.#set('diskFree', labels, disk.freeBytes);
    this.#set('diskSize', labels, disk.totalBytes);
  }

  /** How a run ended, once, and what its log gives away. */
  #end(labels: { readonly chain: string; readonly node: string }, { process: run, log }: NodeFacts): void {
    const key = `${labels.chain} ${labels.node}`;
    const sign = log?.sign ?? '';
    const before = this.#signs.get(key) ?? '';
    if (before !== '' && before !== sign) this.#set('logSign', { ...labels, sign: before }, 0);
    if (sign !== '') this.#set('logSign', { ...labels, sign }, 1);
    this.#signs.set(key, sign);
    if (run.state !== 'exited' || run.endedAtMs < 0 || this.#ended.get(key) === run.endedAtMs) return;
    this.#ended.set(key, run.endedAtMs);
    this.#ends.inc({ ...labels, cause: run.oomKilled ? 'oom' : run.signal === null ? 'exit' : 'signal' });
    if (run.exitCode === null) this.#gauges.get('exitCode')?.remove(labels);
    else this.#set('exitCode', labels, run.exitCode);
  }

  #set(row: Row, labels: Record<string, string>, value: number): void {
    this.#gauges.get(row)?.set(labels, value);
    const { chain, node } = labels;
    if (chain === undefined || node === undefined) return;
    const own = this.#series.get(`${chain} ${node}`) ?? new Map<string, readonly [Row, Record<string, string>]>();
    own.set(`${row} ${Object.values(labels).join(' ')}`, [row, labels]);
    this.#series.set(`${chain} ${node}`, own);
  }
}
