import type { Config, NodeConfig, UpstreamConfig } from './schema.ts';
import { upstreamObject } from './upstream.ts';
import { canonicalUrl } from './url.ts';

/** Where calls reach a node that the controller runs, as the upstream that it backs. */
export interface NodeUpstream {
  readonly name: string;
  readonly http: string;
  readonly ws?: string;
}

/** The upstream of a node where no chain says more of it. Only anvil is known to serve WebSocket on its HTTP port. */
export function upstreamOfNode({ name, upstream, client, httpPort, wsPort }: NodeConfig): NodeUpstream {
  const port = wsPort ?? (client === 'anvil' ? httpPort : undefined);
  const http = `http://127.0.0.1:${httpPort}`;
  return { name: upstream ?? name, http, ...(port === undefined ? {} : { ws: `ws://127.0.0.1:${port}` }) };
}

/** Upstreams of a chain that only its nodes tell of. */
export function missingUpstreams(config: Config, chain: string): readonly NodeUpstream[] {
  const known = config.chains.find(({ name }) => name === chain)?.upstreams ?? [];
  const names = new Set(known.map(({ name }) => name));
  const urls = new Set(known.map(({ http }) => canonicalUrl(http)));
  const backed = config.nodes.filter((node) => node.chain === chain).map(upstreamOfNode);
  return backed.filter(({ name, http }) => !names.has(name) && !urls.has(canonicalUrl(http)));
}

/** The configuration with every node among the upstreams of its chain: the gateway knows them without being told. */
export function withNodeUpstreams(config: Config): Config {
  const own = (chain: string): readonly UpstreamConfig[] => missingUpstreams(config, chain).map((one) => upstreamObject.parse(one));
  return { ...config, chains: config.chains.map((chain) => ({ ...chain, upstreams: [...chain.upstreams, ...own(chain.name)] })) };
}
