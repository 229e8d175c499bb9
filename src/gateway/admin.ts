import type { AdminConfig } from '../config/schema.ts';
import { listenAdmin } from '../edge/admin.ts';
import type { AdminServer } from '../edge/admin.ts';
import { jsonReply, textReply } from '../edge/adminRoute.ts';
import type { AdminReply, AdminRoute } from '../edge/adminRoute.ts';
import type { GatewayState } from './state.ts';
import type { GatewayWorld } from './node.ts';
import { chainStatus, readinessOf } from './status.ts';

/** The read routes of the admin port. */
function routes(state: GatewayState, world: GatewayWorld): readonly AdminRoute[] {
  const get = (path: string, handler: () => AdminReply | Promise<AdminReply>): AdminRoute => ({ method: 'GET', path, handler });
  return [
    get('/metrics', async () => textReply(await state.metrics.text(), 200, state.metrics.contentType)),
    get('/livez', () => textReply('ok\n')),
    get('/readyz', () => {
      const { ready, reasons } = readinessOf(state);
      return textReply(`${[ready ? 'ready' : 'not ready', ...reasons].join('\n')}\n`, ready ? 200 : 503);
    }),
    get('/api/v1/upstreams', () => jsonReply(state.chains.map((chain) => chainStatus(chain, world.clock.nowMs(), world.clock.wallMs())))),
  ];
}

/** @throws Error when the port cannot be bound */
export function openAdmin(config: AdminConfig, state: GatewayState, world: GatewayWorld): Promise<AdminServer> {
  return listenAdmin({ ...config, hostNames: [] }, routes(state, world), world.log);
}
