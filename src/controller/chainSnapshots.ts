import type { ChainConfig, Config } from '../config/schema.ts';
import { type Candidate, chooseSnapshot } from '../snapshot/choose.ts';
import type { SnapshotBody } from '../snapshot/manifest.ts';
import { unproven } from '../snapshot/policy.ts';
import { collect } from '../store/collect.ts';
import { type DataCopy, dropCopies, listCopies, markCopy } from '../store/dataCopy.ts';
import { StoreFault } from '../store/fault.ts';
import { loadTrust } from '../store/keys.ts';
import { dropSnapshots, retentionOf } from '../store/prune.ts';
import { openVault } from '../vault/open.ts';
import { originsOf, peersOf } from '../vault/peers.ts';
import { keepTrees, treeTargets } from '../vault/tree.ts';
import type { Vault } from '../vault/vault.ts';
import { snapshotOf, verifyRecorded } from './captureJob.ts';
import type { KeptNode } from './chainLook.ts';
import { snapshotKindOf } from './clients.ts';
import { drill } from './drill.ts';
import type { SnapshotTask } from './snapshotTasks.ts';
import type { ChainParts } from './snapshotParts.ts';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const short = (id: string): string => id.slice(0, 12);

/** How a capture ended whose snapshot is in the store. */
const endOf = ({ manifest }: Candidate, unprovenWhy: string | null): { readonly state?: 'unproven' } =>
  unprovenWhy === null || manifest.verification?.levels.some(({ verdict }) => verdict === 'failed') === true ? {} : { state: 'unproven' };

/** The snapshots of one chain: one `tick` does what is due, one thing after the other. */
export class ChainSnapshots {
  readonly chain: string;
  readonly #config: Config;
  readonly #chainConfig: ChainConfig;
  readonly #nodes: () => readonly KeptNode[];
  readonly #parts: ChainParts;
  #fault = '';
  #known: { readonly stamp: string; readonly trusted: readonly Candidate[] } = { stamp: '', trusted: [] };
  #drilledAtMs: number | null = null;
  /** Drills in a row that could not be held. */
  #unheldDrills = 0;

  constructor(config: Config, chain: ChainConfig, nodes: () => readonly KeptNode[], parts: ChainParts) {
    this.chain = chain.name;
    this.#config = config;
    this.#chainConfig = chain;
    this.#nodes = nodes;
    this.#parts = parts;
    const last = parts.journal.last(1000).findLast((entry) => entry.chain === chain.name && entry.kind === 'snapshot' && entry.what === 'drill');
    this.#drilledAtMs = last === undefined ? null : Date.parse(last.at);
  }

  /** Manifests that are trusted, oldest first. */
  async past(): Promise<SnapshotBody[]> {
    return (await (await this.#vault()).store.trusted(this.chain)).map(({ manifest }) => manifest.snapshot);
  }

  /** Does what is due. Never rejects: what goes wrong is told once, and tried again. */
  async tick(): Promise<void> {
    if (this.#nodes().length === 0) return;
    try {
      await this.#copies();
      const vault = await this.#vault();
      const trusted = await this.#trusted(vault);
      this.#due(vault, trusted);
      await this.#finishProofs(vault, trusted);
      await this.#drills(vault, trusted);
      await this.#trees(vault, trusted);
      this.#fault = '';
    } catch (error) {
      if (this.#parts.signal.aborted) return;
      const fault = messageOf(error);
      if (fault !== this.#fault) this.#parts.log.error({ chain: this.chain, fault }, `snapshots of ${this.chain}: ${fault}`);
      this.#fault = fault;
    }
  }

  /** Read anew only when a manifest or a key has changed: those of large nodes are large. */
  async #trusted({ store, settings }: Vault): Promise<readonly Candidate[]> {
    const stamp = `${JSON.stringify(await loadTrust(settings.trustFile))}\n${await store.manifests.stamp()}`;
    if (stamp !== this.#known.stamp) this.#known = { stamp, trusted: await store.trusted(this.chain) };
    return this.#known.trusted;
  }

  async #vault(): Promise<Vault> {
    const nodes = this.#nodes().map(({ config }) => config);
    return openVault({ settings: this.#config.snapshots, chain: this.#chainConfig, peers: peersOf(this.#chainConfig, nodes), origins: await originsOf(nodes), nowMs: this.#parts.nowMs });
  }

  /** What is due by schedule; nothing while a capture is under way. */
  #due(vault: Vault, trusted: readonly Candidate[]): void {
    const { schedule, wishes, tasks } = this.#parts;
    const past = trusted.map(({ manifest }) => manifest.snapshot);
    const lastSource = past.at(-1)?.source ?? null;
    const isPending = tasks.underWay(this.chain, 'capture') !== undefined;
    const kind = isPending ? null : schedule.due(this.chain, past);
    wishes.setDue(this.chain, kind === null ? null : { kind, why: `a${kind === 'full' ? ' full' : 'n incremental'} snapshot is due`, lastSource });
    const [newest] = treeTargets(vault, trusted).toReversed();
    this.#parts.metrics.proven(this.chain, newest === undefined ? null : { createdAtMs: newest.manifest.snapshot.createdAtMs, headNumber: newest.manifest.snapshot.head.number });
  }

  async #copies(): Promise<void> {
    for (const node of this.#nodes()) {
      const copies = await listCopies(node.config.dataDir);
      this.#parts.wishes.seen(node.config.name, copies);
      for (const copy of copies) {
        if (copy.state === 'ready') await this.#take(node, copy);
        else if (copy.state === 'booted') await this.#abandon(node, copy);
      }
    }
  }

  /** A node ran on it when we ended: it is not what was copied any more, and what was captured of it is not in the store. */
  async #abandon(node: KeptNode, copy: DataCopy): Promise<void> {
    await markCopy(node.config.dataDir, copy, 'done');
    this.#parts.log.warn({ chain: this.chain, node: node.config.name }, `the capture of ${node.config.name} was cut short; another one is taken when it is due`);
  }

  #taskOf(node: KeptNode, copy: DataCopy): SnapshotTask {
    const { tasks } = this.#parts;
    const going = tasks.underWay(this.chain, 'capture');
    if (going !== undefined) return going;
    return tasks.add({ what: 'capture', chain: this.chain, node: node.config.name, kind: copy.kind, why: copy.why, state: 'capturing', beganAtMs: copy.copiedAtMs });
  }

  #finish(task: SnapshotTask, change: Pick<SnapshotTask, 'told'> & Partial<SnapshotTask>, isOk: boolean): void {
    const over = { state: isOk ? 'done' : 'failed', ...change, endedAtMs: this.#parts.nowMs() } as const;
    const now = this.#parts.tasks.find(task.id) ?? task;
    this.#parts.tasks.change(task.id, over);
    this.#parts.onEnded({ ...now, ...over }, isOk);
  }

  async #take(node: KeptNode, copy: DataCopy): Promise<void> {
    const { tasks, signal } = this.#parts;
    const task = this.#taskOf(node, copy);
    tasks.change(task.id, { node: node.config.name, state: 'capturing', told: 'taking the copy into the store' });
    try {
      const vault = await this.#vault();
      const { candidate, counts } = await snapshotOf({ vault, node, copy, signal, onPoint: this.#parts.onPoint, onState: (state, told) => tasks.change(task.id, { state, told }) });
      const why = unproven(candidate.manifest, vault.rules);
      const proven = (candidate.manifest.verification?.levels ?? []).filter(({ verdict }) => verdict === 'proven').map(({ level }) => level);
      const { kind, head } = candidate.manifest.snapshot;
      const told = `${kind} snapshot ${short(candidate.id)} of block ${head.number}, ${counts.bytes} bytes of which ${counts.newStoredBytes} are new in the store, ${why === null ? `proven: ${proven.join(' ')}` : `not proven as far as the configuration asks: ${why}`}`;
      await this.#tidy(vault);
      this.#finish(task, { told, snapshot: candidate.id, proven, ...endOf(candidate, why) }, why === null);
    } catch (error) {
      if (signal.aborted) return;
      const isLocked = error instanceof StoreFault && error.code === 'locked';
      tasks.change(task.id, { told: messageOf(error) });
      // whoever holds the lock is at the same work: ours waits for its turn
      if (isLocked && this.#parts.nowMs() - task.beganAtMs < this.#config.controller.healing.patienceMs) return;
      await dropCopies(node.config.dataDir, null).catch(() => undefined);
      this.#finish(task, { told: messageOf(error) }, false);
    }
  }

  /** Retention and one round of collection; what keeps them from it costs no snapshot. */
  async #tidy(vault: Vault): Promise<void> {
    const { store, rules, settings } = vault;
    try {
      const snapshots = await store.trusted(this.chain);
      const { drop } = await retentionOf(store, snapshots, rules, settings.keep);
      await dropSnapshots(store, snapshots, drop);
      this.#parts.onPoint('capture, retention');
      await collect(store, settings);
      this.#parts.onPoint('capture, collected');
    } catch (error) {
      this.#parts.log.warn({ chain: this.chain, fault: messageOf(error) }, `the store could not be tidied: ${messageOf(error)}`);
    }
  }

  /** The newest one was published, and its verification cut short. */
  async #finishProofs(vault: Vault, trusted: readonly Candidate[]): Promise<void> {
    const newest = trusted.at(-1);
    const isOurs = this.#nodes().some(({ config }) => config.name === newest?.manifest.snapshot.source);
    if (newest === undefined || newest.manifest.verification !== null || !isOurs) return;
    const { tasks, signal } = this.#parts;
    const { source, kind, createdAtMs } = newest.manifest.snapshot;
    const task = tasks.add({ what: 'capture', chain: this.chain, node: source, kind, why: 'its verification was cut short', state: 'verifying', beganAtMs: createdAtMs });
    const recorded = await verifyRecorded({ vault, signal, onState: (state, told) => tasks.change(task.id, { state, told }) }, newest, null);
    const why = unproven(recorded.manifest, vault.rules);
    const told = `snapshot ${short(newest.id)} is ${why === null ? 'proven' : `not proven as far as the configuration asks: ${why}`}`;
    await this.#tidy(vault);
    this.#finish(task, { told, snapshot: newest.id, ...endOf(recorded, why) }, why === null);
  }

  async #drills(vault: Vault, trusted: readonly Candidate[]): Promise<void> {
    const { tasks, nowMs, metrics } = this.#parts;
    const { everyMs } = this.#config.snapshots.drill;
    const sinceMs = nowMs() - (this.#drilledAtMs ?? Number.NEGATIVE_INFINITY);
    const isDue = everyMs > 0 && (sinceMs >= everyMs || sinceMs < 0);
    const task = tasks.underWay(this.chain, 'drill') ?? (isDue && trusted.length > 0 ? tasks.add({ what: 'drill', chain: this.chain, node: null, kind: null, why: 'a drill is due', state: 'waiting', beganAtMs: nowMs() }) : undefined);
    if (task === undefined) return;
    this.#drilledAtMs = nowMs();
    try {
      const { node, candidate } = this.#drillOf(task, vault, trusted);
      tasks.change(task.id, { node: node.config.name, state: 'restoring', snapshot: candidate.id });
      const { tookMs, why } = await drill({ vault, node, candidate, onProgress: (bytes) => tasks.change(task.id, { told: `${bytes} bytes written` }) });
      metrics.drilled(this.chain, tookMs, nowMs());
      this.#unheldDrills = 0;
      this.#finish(task, { told: `snapshot ${short(candidate.id)} was restored and booted in ${Math.round(tookMs)} ms: ${why}`, snapshot: candidate.id }, true);
    } catch (error) {
      metrics.drilled(this.chain, null, nowMs());
      // it says nothing of the snapshot: another try before the next is due
      if (error instanceof StoreFault && error.code === 'unheld') this.#drilledAtMs = nowMs() - everyMs + Math.min(everyMs, this.#config.snapshots.capture.retryMs * 2 ** this.#unheldDrills++);
      else this.#unheldDrills = 0;
      this.#finish(task, { told: messageOf(error) }, false);
    }
  }

  /** Which snapshot is restored beside which node. @throws StoreFault */
  #drillOf({ node: wanted, snapshot }: SnapshotTask, { rules }: Vault, trusted: readonly Candidate[]): { readonly node: KeptNode; readonly candidate: Candidate } {
    const nodes = this.#nodes().filter(({ config }) => this.#parts.wishes.obstacle(config.name) === null && (wanted === null || config.name === wanted));
    const [node] = nodes;
    if (node === undefined) throw new StoreFault('unfit', 'no node of the chain can be booted for a trial');
    const need = { chainId: null, genesisHash: null, clientKind: snapshotKindOf(node.config), policy: rules, tainted: new Set<string>(), maxAgeMs: 0 };
    const candidate = snapshot === null ? chooseSnapshot(trusted, need, this.#parts.nowMs()).chosen : trusted.find(({ id }) => id.startsWith(snapshot));
    if (candidate == null) throw new StoreFault('missing', snapshot === null ? 'no snapshot is proven as far as the configuration asks' : `there is no trusted snapshot ${snapshot}`);
    return { node, candidate };
  }

  async #trees(vault: Vault, trusted: readonly Candidate[]): Promise<void> {
    const { damaged, built } = await keepTrees(vault, trusted, this.#parts.signal);
    if (built.length > 0) this.#parts.onPoint('tree built');
    for (const { id, problem } of damaged) this.#treeTold(id, `the tree of snapshot ${short(id)} is damaged: ${problem}`, false);
    for (const id of built) this.#treeTold(id, `the tree of snapshot ${short(id)} is there`, true);
    const trees = await vault.store.trees.list(this.chain);
    this.#parts.metrics.trees(this.chain, trees.some(({ problem }) => problem !== null));
  }

  #treeTold(id: string, why: string, isOk: boolean): void {
    const { journal, onEntry, log, nowMs } = this.#parts;
    const entry = { at: new Date(nowMs()).toISOString(), chain: this.chain, node: '', kind: 'snapshot', what: 'tree', why, outcome: isOk ? 'ok' : 'failed' } as const;
    journal.add(entry);
    onEntry(entry);
    if (isOk) log.info({ chain: this.chain, snapshot: id }, why);
    else log.error({ chain: this.chain, snapshot: id }, why);
  }
}
