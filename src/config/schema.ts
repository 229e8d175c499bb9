import * as z from 'zod';
import { accessSection } from './access.ts';
import { controllerSection, nodesSection } from './controller.ts';
import { cacheSection, chainCacheSection } from './cache.ts';
import { coalescingSection } from './coalescing.ts';
import { DEFAULTS } from './defaults.ts';
import { choice, durationMs, listOf } from './fields.ts';
import { healthSection } from './health.ts';
import { logsSection } from './logs.ts';
import { routingSection } from './routing.ts';
import { chainSnapshotsSection, snapshotsSection } from './snapshots.ts';
import { viewSection } from './view.ts';
import { adminSection, logSection, serverSection } from './server.ts';
import { subscriptionsSection } from './subscriptions.ts';
import { labelName, methodsSection, upstreamObject } from './upstream.ts';

const list = <Item extends z.ZodType>(item: Item, max: number, noun: string) => {
  const error = `must be a list of 1 to ${max} ${noun}s`;
  return z
    .array(item, { error })
    .min(1, { error: `needs at least one ${noun}` })
    .max(max, { error });
};

const chainId = z.int({ error: 'must be a whole number' }).min(1, { error: 'must be at least 1' });

/** One network and its nodes. */
export const chainObject = z.strictObject(
  {
    name: labelName(
      'must be 1 to 63 lower-case letters, digits, dashes or underscores',
      /^[a-z0-9][a-z0-9_-]{0,62}$/,
      'Name in paths, metrics and logs; the first chain also answers at /.',
    ),
    family: choice(['evm'], DEFAULTS.chain.family, 'Kind of network.'),
    chainId: z.exactOptional(chainId.describe('Chain id that every node must report; absent = asked from the nodes.')),
    blockTimeMs: durationMs(DEFAULTS.chain.blockTimeMs, [0, 3_600_000], 'Time between blocks; 0 = measured.'),
    methods: methodsSection,
    upstreams: listOf(upstreamObject, [], 256, 'The nodes; those that the controller runs need not be repeated here.'),
    routing: routingSection,
    view: viewSection,
    snapshots: chainSnapshotsSection,
    health: healthSection,
    logs: logsSection,
    coalescing: coalescingSection,
    cache: chainCacheSection,
    subscriptions: subscriptionsSection,
  },
  { error: 'must be a mapping' },
);

/** The whole configuration. */
export const configObject = z.strictObject(
  {
    server: serverSection,
    admin: adminSection,
    log: logSection,
    access: accessSection,
    cache: cacheSection,
    snapshots: snapshotsSection,
    chains: list(chainObject, 64, 'chain').describe('The networks; the first one also answers at /.'),
    controller: controllerSection,
    nodes: nodesSection,
  },
  { error: 'must be a mapping' },
);

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

/** A checked configuration: every default filled in, durations and sizes in the unit of their key. */
export type Config = Frozen<z.output<typeof configObject>>;
export type ServerConfig = Config['server'];
export type AdminConfig = Config['admin'];
export type LogConfig = Config['log'];
export type AccessConfig = Config['access'];
export type AccessKeyConfig = AccessConfig['keys'][number];
export type ControllerConfig = Config['controller'];
export type NodeConfig = Config['nodes'][number];
export type ChainConfig = Config['chains'][number];
export type MethodsConfig = ChainConfig['methods'];
export type RoutingConfig = ChainConfig['routing'];
export type ViewConfig = ChainConfig['view'];
export type ChainCacheConfig = ChainConfig['cache'];
export type SnapshotsConfig = Config['snapshots'];
export type ChainSnapshotsConfig = ChainConfig['snapshots'];
export type LogsConfig = ChainConfig['logs'];
export type HealthConfig = ChainConfig['health'];
export type SubscriptionsConfig = ChainConfig['subscriptions'];
export type WebSocketConfig = ServerConfig['webSocket'];
export type UpstreamConfig = ChainConfig['upstreams'][number];
