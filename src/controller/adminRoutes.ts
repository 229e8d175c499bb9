import type { Lock } from '../edge/adminGuard.ts';
import { jsonReply, textReply } from '../edge/adminRoute.ts';
import type { AdminRoute } from '../edge/adminRoute.ts';
import type { HealOptions } from '../heal/options.ts';
import type { ControllerMetrics } from '../observe/controllerMetrics.ts';
import type { Journal } from '../observe/journal.ts';
import { changeRoutes } from './changeRoutes.ts';
import type { Keeper, NodeStatus } from './keeper.ts';
import { snapshotRoutes } from './snapshotRoutes.ts';
import type { Snapshotter } from './snapshotter.ts';

const MOST_ENTRIES = 1000;

/** One node in `/api/v1/nodes`. Its environment and arguments stay out: they may hold secrets. */
function shown({ config, facts, plan, telemetry }: NodeStatus) {
  const { name, chain, client, driver, httpPort, stopGraceMs } = config;
  const about = { name, chain, client, driver, upstream: config.upstream ?? name, httpPort, stopGraceMs };
  if (facts === null || plan === null) return { ...about, verdict: null, why: 'not looked at yet' };
  const { memory } = plan;
  return {
    ...about,
    wish: facts.wish,
    paused: facts.paused,
    process: facts.process,
    restarts: telemetry.restarts,
    rpcMs: telemetry.rpcMs,
    rpc: facts.rpc,
    edge: facts.edge,
    disk: facts.disk === null ? null : { ...facts.disk, usedBytes: telemetry.diskUsedBytes },
    log: facts.log,
    verdict: plan.verdict.kind,
    evidence: plan.verdict.why,
    operation: memory.operation,
    human: memory.human,
    attempts: memory.attempts,
    next: plan.step,
    guards: plan.guards,
    why: plan.why,
  };
}

/** The admin port of the controller. */
export function controllerRoutes(parts: { readonly keeper: Keeper; readonly snapshots: Snapshotter; readonly journal: Journal; readonly metrics: ControllerMetrics; readonly lock: Lock; readonly options: HealOptions }): readonly AdminRoute[] {
  const { keeper, journal, metrics, lock, options } = parts;
  const find = (name: string | undefined): NodeStatus | undefined => keeper.list().find(({ config }) => config.name === name);
  return [
    { method: 'GET', path: '/metrics', handler: async () => textReply(await metrics.text(), 200, metrics.contentType) },
    { method: 'GET', path: '/livez', handler: () => textReply('ok\n') },
    { method: 'GET', path: '/api/v1/nodes', handler: () => jsonReply(keeper.list().map(shown)) },
    {
      method: 'GET',
      path: '/api/v1/nodes/:node',
      handler: ({ params }) => {
        const node = find(params.node);
        return node === undefined ? jsonReply({ error: 'no such node' }, 404) : jsonReply(shown(node));
      },
    },
    {
      method: 'GET',
      path: '/api/v1/journal',
      handler: ({ query }) => {
        const limit = Number(query.get('limit') ?? 100);
        if (!Number.isInteger(limit) || limit < 1 || limit > MOST_ENTRIES) return jsonReply({ error: `limit must be a whole number from 1 to ${MOST_ENTRIES}` }, 400);
        const node = query.get('node');
        return jsonReply(journal.last(MOST_ENTRIES).filter((entry) => node === null || entry.node === node || entry.kind === 'chain').slice(-limit));
      },
    },
    ...changeRoutes({ keeper, lock, options, shown }),
    ...snapshotRoutes(parts.snapshots, lock),
  ];
}
