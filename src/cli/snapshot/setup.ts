import { dirname, join } from 'node:path';
import { DEFAULTS } from '../../config/defaults.ts';
import type { ChainSnapshotsConfig, Config, SnapshotsConfig } from '../../config/schema.ts';
import type { Origins } from '../../proof/kin.ts';
import type { TrustedKey } from '../../snapshot/sign.ts';
import { loadTrust } from '../../store/keys.ts';
import { SeenFile } from '../../store/seen.ts';
import { SnapshotStore } from '../../store/store.ts';
import { originsOf, peersOf } from '../../vault/peers.ts';
import type { PeerNode, Vault } from '../../vault/vault.ts';
import { loadFile, problemLines } from '../load.ts';
import type { World } from '../ports.ts';
import type { SnapshotCommand } from './args.ts';

/** What the actions on snapshots work with. */
export interface Setup extends Vault {
  readonly command: SnapshotCommand;
  readonly world: World;
  readonly keys: readonly TrustedKey[];
}

/** A setup, or the lines that say why there is none. */
type SetupResult = { readonly setup: Setup } | { readonly lines: readonly string[] };

interface Source {
  readonly settings: SnapshotsConfig;
  readonly rules: ChainSnapshotsConfig;
  readonly chain: string;
  readonly peers: readonly PeerNode[];
  readonly origins: Origins;
}

const fromConfig = async (config: Config, wanted: string | undefined): Promise<Source | string> => {
  const chain = wanted === undefined ? config.chains[0] : config.chains.find(({ name }) => name === wanted);
  if (chain === undefined) return `the configuration has no chain ${wanted}`;
  const nodes = config.nodes.filter((node) => node.chain === chain.name);
  return { settings: config.snapshots, rules: chain.snapshots, chain: chain.name, peers: peersOf(chain, nodes), origins: await originsOf(nodes) };
};

const CHAIN_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

const sourceOf = async ({ texts }: SnapshotCommand, world: World): Promise<Source | readonly string[]> => {
  const [file, chain] = [texts.get('config'), texts.get('chain')];
  if (chain !== undefined && !CHAIN_NAME.test(chain)) return [`--chain ${JSON.stringify(chain)} is no name of a chain`];
  if (file === undefined) return { settings: DEFAULTS.snapshots, rules: { ...DEFAULTS.chain.snapshots, levels: [...DEFAULTS.chain.snapshots.levels] }, chain: chain ?? 'default', peers: [], origins: new Map() };
  const loaded = await loadFile(file, world);
  if (!('config' in loaded)) return problemLines(loaded);
  const source = await fromConfig(loaded.config, chain);
  return typeof source === 'string' ? [source] : source;
};

/** Puts together what an action works with; options win over the configuration. */
export async function setUp(command: SnapshotCommand, world: World): Promise<SetupResult> {
  const source = await sourceOf(command, world);
  if (!('settings' in source)) return { lines: source };
  const { texts } = command;
  const settings: SnapshotsConfig = {
    ...source.settings,
    directory: texts.get('store') ?? source.settings.directory,
    keyFile: texts.get('key') ?? source.settings.keyFile,
    trustFile: texts.get('trust') ?? source.settings.trustFile,
  };
  const keys = await loadTrust(settings.trustFile);
  const store = new SnapshotStore({ root: settings.directory, keys: () => keys, nowMs: () => world.nowMs() });
  const seen = new SeenFile(`${settings.trustFile}.seen`);
  // offline nobody is asked but those who are named
  const known = texts.has('offline') ? [] : source.peers;
  const peers = command.peers.length > 0 ? command.peers.map((url, i) => ({ name: source.peers.find((peer) => peer.url === url)?.name ?? `peer ${i + 1}`, url })) : known;
  return { setup: { command, world, settings, rules: source.rules, chain: source.chain, peers, origins: source.origins, store, keys, seen, journalFolder: join(dirname(settings.trustFile), 'snapshot-progress'), nowMs: () => world.nowMs() } };
}
