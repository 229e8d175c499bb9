import { join } from 'node:path';
import type { Config, NodeConfig } from '../config/schema.ts';
import type { DataFacts, SnapshotFacts } from '../heal/facts.ts';
import type { JournalEntry } from '../observe/journal.ts';
import type { Logger } from '../observe/log.ts';
import { type Candidate, chooseSnapshot } from '../snapshot/choose.ts';
import { lineageProblem, replayProblem } from '../snapshot/lineage.ts';
import type { TrustedKey } from '../snapshot/sign.ts';
import { dataState } from '../store/dataNames.ts';
import { discardData, readyData, removeData, swapBack, swapData } from '../store/dataSwap.ts';
import { StoreFault } from '../store/fault.ts';
import { loadTrust } from '../store/keys.ts';
import { SeenFile } from '../store/seen.ts';
import { layerOf } from '../store/layer.ts';
import { markOrigin, originFrom, originOf } from '../store/origin.ts';
import { stageData } from '../store/staging.ts';
import { chunksOf, SnapshotStore } from '../store/store.ts';
import type { KeptNode, RestoreLook } from './chainLook.ts';
import { DataWatch } from './dataWatch.ts';
import { STAGED_TRIAL, tryStaged } from './stagedTrial.ts';
import type { RestoreSteps } from './steps.ts';
import { endTrial } from './trial.ts';

/** What a restorer works with. */
interface RestoreDeps {
  readonly log: Logger;
  readonly nowMs: () => number;
  /** Only looks, writes nothing down. */
  readonly isDry?: boolean;
  /** Takes an entry into the journal. */
  readonly tell?: (entry: JournalEntry) => void;
}

const REFRESH_MS = 5000;
/** Bytes written per millisecond until one restore was measured: 100 MB/s. */
const FIRST_RATE = 100_000;

/** Codes of what is wrong with the store, not with the node's disk. */
const DAMAGE: ReadonlySet<string> = new Set(['damaged', 'missing']);

/** Kind of client as snapshots name it; null = any: who runs a command of their own knows what it reads. */
const clientKindOf = ({ client }: Pick<NodeConfig, 'client'>): string | null => (client === 'command' ? null : client);

const watched = (node: NodeConfig): Parameters<DataWatch['note']>[0] => ({ ...node, clientKind: clientKindOf(node) ?? 'other' });

/** Why a snapshot is pinned while a node is restored from it. */
const heldFor = (node: string): string => `restore of node ${node}`;

/** Restores nodes from the newest snapshot that is proven as far as the configuration asks. */
export class SnapshotRestore implements RestoreLook, RestoreSteps {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #nowMs: () => number;
  readonly #store: SnapshotStore;
  readonly #seen: SeenFile;
  readonly #watch: DataWatch;
  readonly #isDry: boolean;
  readonly #tell: (entry: JournalEntry) => void;
  /** Only what decisions need: a manifest of a large node takes tens of MiB. */
  readonly #chosen = new Map<string, Omit<SnapshotFacts, 'restoreMs'>>();
  #keys: readonly TrustedKey[] = [];
  #refreshedAtMs = 0;
  #isRefreshing = false;
  /** Manifests and keys as they were last read. */
  #stamp = '';
  /** Found damaged while they were written to a node, or refused by its client: why. */
  readonly #tainted = new Map<string, string>();
  /** Nodes whose mounted snapshot was found damaged. */
  readonly #damage = new Map<string, string>();
  /** Nodes for whose restore a snapshot is held. */
  #held: ReadonlySet<string> = new Set();
  #bytesPerMs = FIRST_RATE;
  #fault = '';

  constructor(config: Config, { log, nowMs, isDry = false, tell = () => undefined }: RestoreDeps) {
    this.#tell = tell;
    this.#isDry = isDry;
    this.#config = config;
    this.#log = log;
    this.#nowMs = nowMs;
    this.#store = new SnapshotStore({ root: config.snapshots.directory, keys: () => this.#keys, nowMs });
    this.#watch = new DataWatch(join(config.controller.stateDir, 'data.json'));
    this.#seen = new SeenFile(`${config.snapshots.trustFile}.seen`);
  }

  /** Looks at the store anew. Never rejects: what cannot be read is logged once and nothing is restored from. */
  async refresh(): Promise<void> {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      this.#keys = await loadTrust(this.#config.snapshots.trustFile);
      await this.#judgeData();
      const stamp = `${JSON.stringify(this.#keys)}\n${await this.#store.manifests.stamp()}`;
      if (stamp === this.#stamp) return;
      this.#stamp = '';
      for (const chain of new Set(this.#config.nodes.map((node) => node.chain))) await this.#choose(chain);
      this.#stamp = stamp;
      this.#fault = '';
    } catch (error) {
      this.#chosen.clear();
      const fault = error instanceof Error ? error.message : String(error);
      if (fault !== this.#fault) this.#log.error({ fault }, `snapshots cannot be read: ${fault}`);
      this.#fault = fault;
    } finally {
      this.#refreshedAtMs = this.#nowMs();
      this.#isRefreshing = false;
    }
  }

  async #choose(chain: string): Promise<void> {
    const config = this.#config.chains.find(({ name }) => name === chain);
    const nodes = this.#config.nodes.filter((node) => node.chain === chain);
    if (config === undefined || nodes[0] === undefined) return;
    const trusted = await this.#store.trusted(chain);
    const replay = replayProblem(trusted.at(-1) ?? null, await this.#seen.of(chain));
    if (replay !== null) throw new StoreFault('replayed', replay);
    const candidates = trusted.filter((one) => lineageProblem(one, trusted) === null);
    const { snapshots, chainId = null } = config;
    const need = { chainId, genesisHash: snapshots.genesisHash === '' ? null : snapshots.genesisHash, clientKind: clientKindOf(nodes[0]), policy: snapshots, tainted: new Set(this.#tainted.keys()), maxAgeMs: 0 };
    const { chosen } = chooseSnapshot(candidates, need, this.#nowMs());
    if (chosen === null) {
      this.#chosen.delete(chain);
      return;
    }
    const { head, files } = chosen.manifest.snapshot;
    this.#chosen.set(chain, { id: chosen.id, headNumber: head.number, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0) });
  }

  snapshotFor(chain: string): SnapshotFacts | null {
    if (this.#nowMs() - this.#refreshedAtMs > REFRESH_MS) void this.refresh();
    const chosen = this.#chosen.get(chain);
    return chosen === undefined ? null : { ...chosen, restoreMs: Math.ceil(chosen.sizeBytes / this.#bytesPerMs) };
  }

  dataOf(node: string): DataFacts {
    const config = this.#config.nodes.find(({ name }) => name === node);
    const damage = this.#damage.get(node) ?? null;
    if (config === undefined) return { damage, staged: null, swapped: null, kept: null };
    const state = dataState(config.dataDir);
    return { damage, ...state, isLittered: state.isLittered || this.#held.has(node) };
  }

  /** @throws StoreFault when the snapshot is no longer there, not trusted, of another client, damaged, or does not boot */
  async stage(node: KeptNode, operationId: string, snapshotId: string): Promise<void> {
    const { config } = node;
    const refused = this.#tainted.get(snapshotId);
    if (refused !== undefined) throw new StoreFault('refused', refused);
    const candidate = (await this.#store.trusted(config.chain)).find(({ id }) => id === snapshotId);
    if (candidate === undefined) throw new StoreFault('missing', `snapshot ${snapshotId.slice(0, 12)} is not in the store, or not trusted`);
    const { snapshot } = candidate.manifest;
    const kind = clientKindOf(config);
    if (kind !== null && kind !== snapshot.client.kind) throw new StoreFault('unfit', `snapshot ${snapshotId.slice(0, 12)} is of a ${snapshot.client.kind}, the node is a ${kind}`);
    await this.#checkDisk(config);
    await endTrial(node, STAGED_TRIAL);
    await this.#store.pins.pin(snapshotId, `restore-${config.name}`, heldFor(config.name));
    const startedAtMs = this.#nowMs();
    let trialMs = 0;
    const finish = async (staged: string): Promise<void> => {
      const beganMs = this.#nowMs();
      await this.#finish(node, { candidate, staged, operation: operationId });
      trialMs = this.#nowMs() - beganMs;
    };
    try {
      const staged = await stageData(this.#store, { candidate, dataDir: config.dataDir, operation: operationId, node: config.name, method: config.restoreBy, finish });
      if (staged !== null) this.#log.info({ node: config.name, snapshot: snapshotId, ...staged }, `staged by ${staged.method}`);
      // what a mount takes tells nothing of a copy
      if (staged?.method !== 'copy') return;
    } catch (error) {
      // a collection in another process may have an object in its hands: what is there again is not lost
      const isBack = error instanceof StoreFault && error.code === 'missing' && (await this.#store.missing(chunksOf(snapshot))).length === 0;
      if (error instanceof StoreFault && DAMAGE.has(error.code) && !isBack) this.#taint(snapshotId, `snapshot ${snapshotId} is damaged`, error.message);
      if (error instanceof StoreFault && error.code === 'refused') {
        this.#taint(snapshotId, error.message, error.message);
        await this.#unpin(config);
      }
      throw error;
    }
    const bytes = snapshot.files.reduce((sum, file) => sum + file.sizeBytes, 0);
    this.#bytesPerMs = Math.max(1, bytes / Math.max(1, this.#nowMs() - startedAtMs - trialMs));
  }

  /** What staged data must pass before it counts, and what is written down in it. */
  async #finish(node: KeptNode, { candidate, staged, operation }: { readonly candidate: Candidate; readonly staged: string; readonly operation: string }): Promise<void> {
    const { source } = candidate.manifest.snapshot;
    const beganMs = this.#nowMs();
    const tell = (why: string, outcome: JournalEntry['outcome']): void => {
      const { name, chain } = node.config;
      this.#tell({ at: new Date(this.#nowMs()).toISOString(), chain, node: name, kind: 'snapshot', what: 'trialBoot', why, outcome, durationMs: this.#nowMs() - beganMs });
    };
    try {
      const { isBooted, why } = await tryStaged(node, { candidate, staged, operation, settings: this.#config.snapshots });
      tell(isBooted ? `staged snapshot ${candidate.id.slice(0, 12)}: ${why}` : `staged snapshot ${candidate.id.slice(0, 12)} was not booted: ${why}`, isBooted ? 'ok' : 'dropped');
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), 'failed');
      throw error;
    }
    const kept = this.#config.nodes.find(({ name }) => name === source);
    const roots = kept === undefined ? [] : await originOf(kept.dataDir);
    await markOrigin(staged, originFrom(candidate, roots));
  }

  /** Chosen no more, until the controller starts anew or a full snapshot has mended the store and is newer. */
  #taint(snapshotId: string, what: string, why: string): void {
    this.#tainted.set(snapshotId, why);
    this.#stamp = '';
    this.#refreshedAtMs = 0;
    this.#log.error({ snapshot: snapshotId }, `${what}; it is not restored from any more`);
  }

  /** @throws StoreFault where the file system that the data lies on is away */
  async #checkDisk(config: NodeConfig): Promise<void> {
    const unmounted = await this.#watch.unmounted(watched(config));
    if (unmounted !== null) throw new StoreFault('unmounted', `node ${config.name}: ${unmounted}; nothing is put in its place`);
  }

  async swap({ config }: KeptNode, operationId: string, from: 'snapshot' | 'empty'): Promise<void> {
    await this.#checkDisk(config);
    if (from === 'empty') await this.#watch.forget(config.name);
    await swapData(config.dataDir, { operation: operationId, from, clientKind: clientKindOf(config) ?? 'other' });
  }

  async discard(node: KeptNode): Promise<void> {
    const { config } = node;
    await endTrial(node, STAGED_TRIAL);
    await discardData(config.dataDir);
    await this.#unpin(config);
  }

  async swapBack({ config }: KeptNode, operationId: string): Promise<void> {
    await swapBack(config.dataDir, operationId);
    await this.#unpin(config);
  }

  async removeData(node: KeptNode): Promise<void> {
    const { config } = node;
    await endTrial(node, STAGED_TRIAL);
    await this.#watch.forget(config.name);
    await removeData(config.dataDir);
    await this.#unpin(config);
  }

  async ready({ config }: KeptNode): Promise<void> {
    const layer = await readyData(config.dataDir);
    const lost = await this.lostData(config);
    if (lost !== null) throw new StoreFault('missing', `node ${config.name}: ${lost}; it is not started on nothing`);
    if (layer === null) return;
    const tree = await this.#store.trees.find(layer.chain, layer.snapshotId);
    if (tree === null) throw new StoreFault('missing', `node ${config.name}: the tree of snapshot ${layer.snapshotId.slice(0, 12)}, which it has mounted, is not in the store`);
    await this.#store.trees.pin(layer.snapshotId, config.name);
  }

  /** Lets go of what the node needs no more: all but the snapshot that its data directory is mounted over. */
  async #unpin({ name, dataDir }: NodeConfig): Promise<void> {
    const layer = await layerOf(dataDir);
    for (const { id, reason } of await this.#store.pins.list()) {
      if (reason === heldFor(name)) await this.#store.pins.unpin(id, `restore-${name}`);
      if (reason === `mounted by node ${name}` && id !== layer?.snapshotId) await this.#store.trees.unpin(id, name);
    }
    this.#held = new Set([...this.#held].filter((held) => held !== name));
  }

  lostData(node: NodeConfig): Promise<string | null> {
    return this.#watch.lost(watched(node));
  }

  /** Nodes that have data; those whose snapshot below was found damaged: their data is, too. */
  async #judgeData(): Promise<void> {
    const reasons = new Set((await this.#store.pins.list()).map(({ reason }) => reason));
    this.#held = new Set(this.#config.nodes.flatMap(({ name }) => (reasons.has(heldFor(name)) ? [name] : [])));
    for (const node of this.#config.nodes) {
      const { name, dataDir } = node;
      if (!this.#isDry) await this.#watch.note(watched(node));
      const layer = await layerOf(dataDir).catch(() => null);
      const tree = layer === null ? null : await this.#store.trees.find(layer.chain, layer.snapshotId);
      if (tree?.problem == null) this.#damage.delete(name);
      else this.#damage.set(name, `the snapshot that it has mounted is damaged: ${tree.problem}`);
    }
  }
}
