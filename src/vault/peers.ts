import type { ChainConfig, NodeConfig } from '../config/schema.ts';
import type { Origins } from '../proof/kin.ts';
import { originOf } from '../store/origin.ts';
import type { PeerNode } from './vault.ts';

/** Nodes that vouch for a head, by the name of the kept node behind each. */
export function peersOf({ upstreams }: Pick<ChainConfig, 'upstreams'>, nodes: readonly Pick<NodeConfig, 'name' | 'upstream'>[]): PeerNode[] {
  return upstreams.map(({ name, http }) => ({ name: nodes.find((node) => (node.upstream ?? node.name) === name)?.name ?? name, url: http }));
}

/** What the data of kept nodes is from, as their data directories tell. */
export async function originsOf(nodes: readonly Pick<NodeConfig, 'name' | 'dataDir'>[]): Promise<Origins> {
  return new Map(await Promise.all(nodes.map(async ({ name, dataDir }) => [name, await originOf(dataDir)] as const)));
}
