import { diffConfig } from './diff.ts';
import type { Config } from './schema.ts';
import { isTlsOn } from './tls.ts';

/** What taking over a new configuration comes to in a running process. */
export interface ReloadPlan {
  /** What runs afterwards: the new configuration, with the old value wherever a restart is needed. */
  readonly config: Config;
  /** What changes, such as `added chains.ethereum.upstreams.a`. */
  readonly live: readonly string[];
  /** Changed options that keep their old value until a restart, such as `server.port`. */
  readonly restart: readonly string[];
}

/** Outside chains only these are read anew at each use. */
const LIVE =
  /^(server\.(maxBodyBytes|maxInflatedBytes|maxBatchItems|batchConcurrency|maxDepth|maxMethodBytes|maxResponseBytes|streamAboveBytes|maxStreamBytes|streamTimeoutMs|maxInFlight|drainTimeoutMs|refuseChunked|gzipAboveBytes|trustedProxies|explainHeader|tls)|log\.sampleEvery|(access|snapshots)\.[A-Za-z]+|chains(\..*)?)$/;

/** Options of a chain that the judge lays its windows and its trusted chain out by. */
const FIXED_IN_CHAIN: readonly (readonly string[])[] = [
  ['family'],
  ['chainId'],
  ['blockTimeMs'],
  ['routing', 'tierReturnMs'],
  ['health', 'failures', 'windowMs'],
  ['health', 'trustedHead'],
  ['subscriptions'],
];

type Tree = Record<string, unknown>;

const valueAt = (tree: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Tree | undefined)?.[key], tree);

/** Puts a value at a path whose sections are there; undefined takes the key away. */
const put = (tree: Tree, path: readonly string[], value: unknown): void => {
  const section = valueAt(tree, path.slice(0, -1)) as Tree;
  const key = path.at(-1) as string;
  if (value === undefined) delete section[key];
  else section[key] = value;
};

const keepTop = (before: Config, next: Config): string[] => {
  const { live, restart } = diffConfig(before, next);
  const isSwitched = isTlsOn(before.server.tls) !== isTlsOn(next.server.tls);
  const isFixed = (path: string): boolean => !LIVE.test(path) || (path === 'server.tls' && isSwitched);
  const paths = [...live, ...restart].map(({ path }) => path).filter(isFixed);
  for (const path of paths) put(next as unknown as Tree, path.split('.'), valueAt(before, path.split('.')));
  return paths;
};

const keepInChains = (before: Config, next: Config): string[] =>
  next.chains.flatMap((chain) => {
    const old = before.chains.find(({ name }) => name === chain.name);
    if (old === undefined) return [];
    const fixed = FIXED_IN_CHAIN.filter(
      (path) => JSON.stringify(valueAt(old, path)) !== JSON.stringify(valueAt(chain, path)),
    );
    for (const path of fixed) put(chain as unknown as Tree, path, valueAt(old, path));
    return fixed.map((path) => `chains.${chain.name}.${path.join('.')}`);
  });

/**
 * Plans a reload: everything that can be changed in a running process is, the rest is named.
 * @param before what runs now
 */
export function planReload(before: Config, after: Config): ReloadPlan {
  const config = structuredClone(after) as Config;
  const restart = [...keepTop(before, config), ...keepInChains(before, config)];
  const { live } = diffConfig(before, config);
  return { config, live: live.map(({ kind, path }) => `${kind} ${path}`), restart };
}
