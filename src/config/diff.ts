import type { ChainConfig, Config } from './schema.ts';

/** One difference between two configurations. Chains and upstreams are told apart by name. */
export interface Change {
  readonly kind: 'added' | 'removed' | 'changed';
  /** Such as `server.port`, `chains.ethereum.routing` or `chains.ethereum.upstreams.a`. */
  readonly path: string;
  /** Name of the chain it is about; absent outside chains. */
  readonly chain?: string;
  /** Name of the upstream it is about; absent otherwise. */
  readonly upstream?: string;
}

/** What a running process can take over, and what needs a new one. */
export interface ConfigDiff {
  readonly live: readonly Change[];
  readonly restart: readonly Change[];
}

/** What is fixed when a port is bound or a process is laid out. */
const RESTART =
  /^(server\.(host|port|engine|workers|workerRestart|workerHangMs|maxHeaderBytes|keepAliveTimeoutMs)|admin\.(host|port|tokenFile|events)|cache\.disk|chains\.[^.]+\.(family|chainId))$/;

const same = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (
    typeof a !== 'object' ||
    typeof b !== 'object' ||
    a === null ||
    b === null ||
    Array.isArray(a) !== Array.isArray(b)
  )
    return false;
  const left = Object.entries(a);
  return (
    left.length === Object.keys(b).length &&
    left.every(([key, value]) => Object.hasOwn(b, key) && same(value, (b as Record<string, unknown>)[key]))
  );
};

interface Named {
  readonly name: string;
}

/** Additions, removals, and what `inside` finds between items of the same name. */
const byName = <Item extends Named>(
  [before, after]: readonly [readonly Item[], readonly Item[]],
  describe: (item: Item) => Omit<Change, 'kind'>,
  inside: (before: Item, after: Item) => Change[],
): Change[] => {
  const old = new Map(before.map((item) => [item.name, item]));
  const kept = new Set(after.map(({ name }) => name));
  const removed = before
    .filter(({ name }) => !kept.has(name))
    .map((item): Change => ({ kind: 'removed', ...describe(item) }));
  const rest = after.flatMap((item) => {
    const earlier = old.get(item.name);
    return earlier === undefined ? [{ kind: 'added', ...describe(item) } satisfies Change] : inside(earlier, item);
  });
  return [...removed, ...rest];
};

const diffChain = (before: ChainConfig, after: ChainConfig): Change[] => {
  const chain = after.name;
  const keys = ['family', 'chainId', 'blockTimeMs', 'methods', 'routing', 'view', 'snapshots', 'health', 'logs', 'coalescing', 'cache'] as const;
  const sections = keys
    .filter((key) => !same(before[key], after[key]))
    .map((key): Change => ({ kind: 'changed', path: `chains.${chain}.${key}`, chain }));
  const describe = ({ name }: Named): Omit<Change, 'kind'> => ({
    path: `chains.${chain}.upstreams.${name}`,
    chain,
    upstream: name,
  });
  const upstreams = byName([before.upstreams, after.upstreams], describe, (a, b) =>
    same(a, b) ? [] : [{ kind: 'changed', ...describe(b) }],
  );
  return [...sections, ...upstreams];
};

const diffSection = (name: 'server' | 'admin' | 'log' | 'access' | 'cache' | 'snapshots', before: Config, after: Config): Change[] => {
  const old: Readonly<Record<string, unknown>> = before[name];
  return Object.entries(after[name])
    .filter(([key, value]) => !same(old[key], value))
    .map(([key]) => ({ kind: 'changed', path: `${name}.${key}` }));
};

/**
 * What changes between two configurations. The order of upstreams means nothing; which chain is first does
 * (`chains` changed), since it answers at `/`. Taking over every change leaves nothing to find.
 */
export function diffConfig(before: Config, after: Config): ConfigDiff {
  const chains = byName(
    [before.chains, after.chains],
    ({ name }) => ({ path: `chains.${name}`, chain: name }),
    diffChain,
  );
  const isFirstSame = before.chains[0]?.name === after.chains[0]?.name;
  const all: Change[] = [
    ...diffSection('server', before, after),
    ...diffSection('admin', before, after),
    ...diffSection('log', before, after),
    ...diffSection('access', before, after),
    ...diffSection('cache', before, after),
    ...diffSection('snapshots', before, after),
    ...(isFirstSame ? [] : [{ kind: 'changed', path: 'chains' } satisfies Change]),
    ...chains,
  ];
  return { live: all.filter(({ path }) => !RESTART.test(path)), restart: all.filter(({ path }) => RESTART.test(path)) };
}
