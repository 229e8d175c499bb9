import type { AdminConfig } from '../config/schema.ts';
import { listenAdmin } from '../edge/admin.ts';
import type { AdminServer } from '../edge/admin.ts';
import { jsonReply, textReply } from '../edge/adminRoute.ts';
import type { AdminReply, AdminRoute } from '../edge/adminRoute.ts';
import { openLock } from '../edge/adminLock.ts';
import { cacheRoutes } from './cacheApi.ts';
import type { EventFeed } from './eventFeed.ts';
import { eventsRoute } from './eventsRoute.ts';
import { explainRoute } from './explainRoute.ts';
import { reloadRoutes } from './reloadApi.ts';
import { runtimeRoutes } from './runtimeApi.ts';
import type { GatewayState } from './state.ts';
import type { GatewayWorld } from './node.ts';
import { chainStatus, readinessOf } from './status.ts';

/** The routes that only read. */
function readRoutes(state: GatewayState, world: GatewayWorld): readonly AdminRoute[] {
  const get = (path: string, handler: () => AdminReply | Promise<AdminReply>): AdminRoute => ({ method: 'GET', path, handler });
  return [
    get('/metrics', async () => textReply(await state.metrics.text(), 200, state.metrics.contentType)),
    get('/livez', () => textReply('ok\n')),
    get('/readyz', () => {
      const { ready, reasons } = readinessOf(state);
      return textReply(`${[ready ? 'ready' : 'not ready', ...reasons].join('\n')}\n`, ready ? 200 : 503);
    }),
    get('/api/v1/upstreams', () => jsonReply(state.chains.map((chain) => chainStatus(chain, world.clock.nowMs(), world.clock.wallMs())))),
    get('/api/v1/workers', () => jsonReply(state.crew?.status() ?? [])),
    explainRoute(state, world),
  ];
}

/** @throws Error when the port cannot be bound */
export async function openAdmin(config: AdminConfig, state: GatewayState, world: GatewayWorld, events: EventFeed): Promise<AdminServer> {
  const lock = await openLock(config.tokenFile, world.log);
  const { host, port } = config;
  return listenAdmin({ host, port }, [...readRoutes(state, world), eventsRoute(events), ...runtimeRoutes(state, world, lock), ...reloadRoutes(state, world, lock), ...cacheRoutes(state, world, lock)], world.log);
}
