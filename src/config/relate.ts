import type { Finding, Path } from './problem.ts';
import { missingUpstreams } from './nodeUpstreams.ts';
import { relateHealth } from './relateHealth.ts';
import { relateNodes } from './relateNodes.ts';
import { relateRouting } from './relateRouting.ts';
import type { ChainConfig, Config, UpstreamConfig } from './schema.ts';
import { pathText } from './problem.ts';
import { nearest } from './suggest.ts';
import { relateTls } from './tls.ts';
import { canonicalUrl } from './url.ts';

/** Names of families: `/evm/1` names a chain by its id. */
const RESERVED = new Set(['evm', 'bitcoin', 'solana', 'cosmos', 'fisco']);
const EVERY_HOST = new Set(['0.0.0.0', '::', '']);

/** A finding for each item whose key an earlier item has. */
const twice = (items: readonly { readonly key: string; readonly path: Path }[], what: string): Finding[] => {
  const first = new Map<string, Path>();
  return items.flatMap(({ key, path }) => {
    const earlier = first.get(key);
    if (earlier !== undefined) return [{ path, message: `is the same ${what} as ${pathText(earlier)}` }];
    first.set(key, path);
    return [];
  });
};

const relatePorts = ({ server, admin }: Config): Finding[] => {
  const isSameHost = server.host === admin.host || EVERY_HOST.has(server.host) || EVERY_HOST.has(admin.host);
  if (!isSameHost || server.port === 0 || server.port !== admin.port) return [];
  return [{ path: ['admin', 'port'], orAt: ['server', 'port'], message: 'server.port and admin.port are the same' }];
};

const relateServer = ({ server }: Config): Finding[] => {
  const findings = relateTls(server.tls);
  if (server.maxInflatedBytes < server.maxBodyBytes) {
    findings.push({
      path: ['server', 'maxInflatedBytes'],
      orAt: ['server', 'maxBodyBytes'],
      message: 'server.maxInflatedBytes must be at least server.maxBodyBytes',
    });
  }
  if (server.workerRestart.maxMs < server.workerRestart.baseMs) {
    findings.push({ path: ['server', 'workerRestart', 'maxMs'], message: 'server.workerRestart.maxMs must be at least server.workerRestart.baseMs' });
  }
  if (server.maxMethodBytes > server.maxBodyBytes) {
    findings.push({
      path: ['server', 'maxMethodBytes'],
      orAt: ['server', 'maxBodyBytes'],
      message: 'server.maxMethodBytes must be at most server.maxBodyBytes',
    });
  }
  if (server.webSocket.softLimitBytes > server.webSocket.hardLimitBytes) {
    findings.push({
      path: ['server', 'webSocket', 'softLimitBytes'],
      orAt: ['server', 'webSocket', 'hardLimitBytes'],
      message: 'server.webSocket.softLimitBytes must be at most server.webSocket.hardLimitBytes',
    });
  }
  return findings;
};

const relateMethods = (
  methods: { readonly allow: readonly string[]; readonly deny: readonly string[] },
  path: Path,
): Finding[] =>
  methods.deny.flatMap((name, index) =>
    methods.allow.includes(name)
      ? [{ path: [...path, 'methods', 'deny', index], message: 'is both in allow and in deny' }]
      : [],
  );

const relateUpstreams = (chain: ChainConfig, path: Path, backed: number): Finding[] => {
  const at = (index: number): Path => [...path, 'upstreams', index];
  const findings = twice(
    chain.upstreams.map(({ name }, index) => ({ key: name, path: [...at(index), 'name'] })),
    'name',
  );
  if (chain.upstreams.length === 0 && backed === 0) findings.push({ path: [...path, 'upstreams'], orAt: path, message: 'needs at least one upstream' });
  else if (chain.upstreams.every(({ weight }) => weight === 0) && backed === 0) {
    findings.push({ path: [...path, 'upstreams'], message: 'needs at least one upstream whose weight is not 0' });
  }
  const own = chain.upstreams.flatMap(({ methods, budget, transport, ws, sockets }, index) => [
    ...relateMethods(methods, at(index)),
    ...(transport !== 'http' && ws === undefined ? [{ path: [...at(index), 'transport'], message: `${transport} needs the upstream's ws` }] : []),
    ...(sockets.reconnect.baseMs > sockets.reconnect.maxMs ? [{ path: [...at(index), 'sockets', 'reconnect', 'baseMs'], message: 'must be at most maxMs' }] : []),
    ...loneBurst(budget.callsPerS + budget.weightPerS, budget.burst, [...at(index), 'budget']),
  ]);
  return [...findings, ...own];
};

const urls = (upstream: UpstreamConfig, path: Path): { key: string; path: Path }[] => {
  const http = { key: canonicalUrl(upstream.http), path: [...path, 'http'] };
  return upstream.ws === undefined ? [http] : [http, { key: canonicalUrl(upstream.ws), path: [...path, 'ws'] }];
};

const relateChains = ({ chains }: Config): Finding[] => {
  const names = chains.map(({ name }, index) => ({ key: name, path: ['chains', index, 'name'] }));
  const ids = chains.flatMap(({ family, chainId }, index) =>
    chainId === undefined ? [] : [{ key: `${family}/${chainId}`, path: ['chains', index, 'chainId'] }],
  );
  const nodes = chains.flatMap(({ upstreams }, index) =>
    upstreams.flatMap((upstream, n) => urls(upstream, ['chains', index, 'upstreams', n])),
  );
  const reserved = names
    .filter(({ key }) => RESERVED.has(key))
    .map(({ path }): Finding => ({ path, message: 'is a reserved path: choose another name' }));
  return [...reserved, ...twice(names, 'name'), ...twice(ids, 'chain id'), ...twice(nodes, 'URL')];
};

/** A burst without a rate would be no limit, against its look. */
const loneBurst = (ratePerS: number, burst: number, path: Path): Finding[] =>
  ratePerS === 0 && burst > 0 ? [{ path: [...path, 'burst'], message: 'has no effect without a rate beside it' }] : [];

const relateAccess = ({ access, chains }: Config): Finding[] => {
  const known = chains.map(({ name }) => name);
  const at = (index: number, key: string): Path => ['access', 'keys', index, key];
  const names = access.keys.map(({ name }, index) => ({ key: name, path: at(index, 'name') }));
  const hashes = access.keys.map(({ sha256 }, index) => ({ key: sha256.toLowerCase(), path: at(index, 'sha256') }));
  const own = access.keys.flatMap(({ chains: opened, methods, rate }, index) => [
    ...opened.flatMap((name, n) => unknownChain(name, known, [...at(index, 'chains'), n])),
    ...relateMethods(methods, ['access', 'keys', index]),
    ...loneBurst(rate.unitsPerS, rate.burst, at(index, 'rate')),
  ]);
  const { callsPerS, burst } = access.perIp;
  return [...twice(names, 'name'), ...twice(hashes, 'key'), ...own, ...loneBurst(callsPerS, burst, ['access', 'perIp'])];
};

const unknownChain = (name: string, known: readonly string[], path: Path): Finding[] => {
  if (known.includes(name)) return [];
  const suggestion = nearest(name, known);
  return [{ path, message: 'names no chain', ...(suggestion === undefined ? {} : { suggestion }) }];
};

/** What is wrong between options that are each right by themselves. */
export function relate(config: Config): Finding[] {
  const chains = config.chains.flatMap((chain, index) => {
    const path: Path = ['chains', index];
    const backed = missingUpstreams(config, chain.name).length;
    return [
      ...relateUpstreams(chain, path, backed),
      ...relateMethods(chain.methods, path),
      ...relateRouting(chain.routing, [...path, 'routing']),
      ...relateHealth(chain, path, chain.upstreams.length + backed),
    ];
  });
  return [...relatePorts(config), ...relateServer(config), ...relateChains(config), ...relateAccess(config), ...chains, ...relateNodes(config)];
}
