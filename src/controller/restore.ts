import { join } from 'node:path';
import type { Config, NodeConfig } from '../config/schema.ts';
import type { DataFacts, SnapshotFacts } from '../heal/facts.ts';
import type { Logger } from '../observe/log.ts';
import { chooseSnapshot } from '../snapshot/choose.ts';
import { lineageProblem, replayProblem } from '../snapshot/lineage.ts';
import type { TrustedKey } from '../snapshot/sign.ts';
import { dataState } from '../store/dataNames.ts';
import { discardData, readyData, removeData, swapBack, swapData } from '../store/dataSwap.ts';
import { StoreFault } from '../store/fault.ts';
import { loadTrust } from '../store/keys.ts';
import { SeenFile } from '../store/seen.ts';
import { layerOf } from '../store/layer.ts';
import { stageData } from '../store/staging.ts';
import { SnapshotStore } from '../store/store.ts';
import type { KeptNode, RestoreLook } from './chainLook.ts';
import { DataWatch } from './dataWatch.ts';
import type { RestoreSteps } from './steps.ts';

const REFRESH_MS = 5000;
/** Bytes written per millisecond until one restore was measured: 100 MB/s. */
const FIRST_RATE = 100_000;

/** Codes of what is wrong with the store, not with the node's disk. */
const DAMAGE: ReadonlySet<string> = new Set(['damaged', 'missing']);

/** Kind of client as snapshots name it; null = any: who runs a command of their own knows what it reads. */
const clientKindOf = ({ client }: Pick<NodeConfig, 'client'>): string | null => (client === 'command' ? null : client);

const watched = (node: NodeConfig): Parameters<DataWatch['note']>[0] => ({ ...node, clientKind: clientKindOf(node) ?? 'other' });

/** Restores nodes from the newest snapshot that is proven as far as the configuration asks. */
export class SnapshotRestore implements RestoreLook, RestoreSteps {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #nowMs: () => number;
  readonly #store: SnapshotStore;
  readonly #seen: SeenFile;
  readonly #watch: DataWatch;
  readonly #isDry: boolean;
  /** Only what decisions need: a manifest of a large node takes tens of MiB. */
  readonly #chosen = new Map<string, Omit<SnapshotFacts, 'restoreMs'>>();
  #keys: readonly TrustedKey[] = [];
  #refreshedAtMs = 0;
  #isRefreshing = false;
  /** Manifests and keys as they were last read. */
  #stamp = '';
  /** Found damaged while they were written to a node. */
  readonly #tainted = new Set<string>();
  /** Nodes whose mounted snapshot was found damaged. */
  readonly #damage = new Map<string, string>();
  #bytesPerMs = FIRST_RATE;
  #fault = '';

  /** @param deps isDry: only looks, writes nothing down */
  constructor(config: Config, { log, nowMs, isDry = false }: { readonly log: Logger; readonly nowMs: () => number; readonly isDry?: boolean }) {
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
    const need = { chainId, genesisHash: snapshots.genesisHash === '' ? null : snapshots.genesisHash, clientKind: clientKindOf(nodes[0]), policy: snapshots, tainted: this.#tainted, maxAgeMs: 0 };
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
    return { damage: this.#damage.get(node) ?? null, ...(config === undefined ? { staged: null, swapped: null, kept: null } : dataState(config.dataDir)) };
  }

  /** @throws StoreFault when the snapshot is no longer there, not trusted, of another client, or damaged */
  async stage({ config }: KeptNode, operationId: string, snapshotId: string): Promise<void> {
    const candidate = (await this.#store.trusted(config.chain)).find(({ id }) => id === snapshotId);
    if (candidate === undefined) throw new StoreFault('missing', `snapshot ${snapshotId.slice(0, 12)} is not in the store, or not trusted`);
    const { snapshot } = candidate.manifest;
    const kind = clientKindOf(config);
    if (kind !== null && kind !== snapshot.client.kind) throw new StoreFault('unfit', `snapshot ${snapshotId.slice(0, 12)} is of a ${snapshot.client.kind}, the node is a ${kind}`);
    await this.#store.pins.pin(snapshotId, `restore-${config.name}`, `restore of node ${config.name}`);
    const startedAtMs = this.#nowMs();
    try {
      const staged = await stageData(this.#store, { candidate, dataDir: config.dataDir, operation: operationId, node: config.name, method: config.restoreBy });
      if (staged !== null) this.#log.info({ node: config.name, snapshot: snapshotId, ...staged }, `staged by ${staged.method}`);
      // what a mount takes tells nothing of a copy
      if (staged?.method !== 'copy') return;
    } catch (error) {
      if (error instanceof StoreFault && DAMAGE.has(error.code)) this.#taint(snapshotId);
      throw error;
    }
    const bytes = snapshot.files.reduce((sum, file) => sum + file.sizeBytes, 0);
    this.#bytesPerMs = Math.max(1, bytes / Math.max(1, this.#nowMs() - startedAtMs));
  }

  /** Chosen no more, until the controller starts anew or a full snapshot has mended the store and is newer. */
  #taint(snapshotId: string): void {
    this.#tainted.add(snapshotId);
    this.#stamp = '';
    this.#refreshedAtMs = 0;
    this.#log.error({ snapshot: snapshotId }, `snapshot ${snapshotId} is damaged and not restored from any more`);
  }

  async swap({ config }: KeptNode, operationId: string, from: 'snapshot' | 'empty'): Promise<void> {
    if (from === 'empty') await this.#watch.forget(config.name);
    await swapData(config.dataDir, { operation: operationId, from, clientKind: clientKindOf(config) ?? 'other' });
  }

  async discard({ config }: KeptNode): Promise<void> {
    await discardData(config.dataDir);
    await this.#unpin(config);
  }

  async swapBack({ config }: KeptNode, operationId: string): Promise<void> {
    await swapBack(config.dataDir, operationId);
    await this.#unpin(config);
  }

  async removeData({ config }: KeptNode): Promise<void> {
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
      if (reason === `restore of node ${name}`) await this.#store.pins.unpin(id, `restore-${name}`);
      if (reason === `mounted by node ${name}` && id !== layer?.snapshotId) await this.#store.trees.unpin(id, name);
    }
  }

  lostData(node: NodeConfig): Promise<string | null> {
    return this.#watch.lost(watched(node));
  }

  /** Nodes that have data; those whose snapshot below was found damaged: their data is, too. */
  async #judgeData(): Promise<void> {
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
