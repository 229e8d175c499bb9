import { dirname, join } from 'node:path';
import type { ChainConfig, SnapshotsConfig } from '../config/schema.ts';
import type { Origins } from '../proof/kin.ts';
import { loadKey, loadTrust, trustKey } from '../store/keys.ts';
import { SeenFile } from '../store/seen.ts';
import { SnapshotStore } from '../store/store.ts';
import type { PeerNode, Vault } from './vault.ts';

/** What the snapshots of a chain are opened with. */
export interface OpenVault {
  readonly settings: SnapshotsConfig;
  readonly chain: Pick<ChainConfig, 'name' | 'snapshots'>;
  readonly peers: readonly PeerNode[];
  readonly origins: Origins;
  readonly nowMs: () => number;
}

/** Opens the snapshots of a chain with the keys that are trusted now; the signing key is made, and trusted, where it is missing. @throws StoreFault */
export async function openVault({ settings, chain, peers, origins, nowMs }: OpenVault): Promise<Vault> {
  await trustKey(settings.trustFile, await loadKey(settings.keyFile));
  const keys = await loadTrust(settings.trustFile);
  const store = new SnapshotStore({ root: settings.directory, keys: () => keys, nowMs });
  const journalFolder = join(dirname(settings.trustFile), 'snapshot-progress');
  return { settings, rules: chain.snapshots, chain: chain.name, peers, origins, store, seen: new SeenFile(`${settings.trustFile}.seen`), journalFolder, nowMs };
}
