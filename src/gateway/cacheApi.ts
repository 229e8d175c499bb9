import type { FlushScope } from '../cache/store.ts';
import { guarded, unknownMember } from '../edge/adminGuard.ts';
import type { AdminBody, Lock } from '../edge/adminGuard.ts';
import { jsonReply } from '../edge/adminRoute.ts';
import type { AdminReply, AdminRoute } from '../edge/adminRoute.ts';
import type { GatewayWorld } from './node.ts';
import type { GatewayState } from './state.ts';

const refuse = (status: number, error: string): AdminReply => jsonReply({ error }, status);

/** What a flush is to take, or what is wrong with the wish. */
function scopeOf({ method, fromNumber }: AdminBody): FlushScope | string {
  if (method !== undefined && (typeof method !== 'string' || method === '')) return 'method must be the name of a method';
  if (fromNumber !== undefined && !(Number.isSafeInteger(fromNumber) && (fromNumber as number) >= 0)) return 'fromNumber must be a block number';
  return { ...(method === undefined ? {} : { method }), ...(fromNumber === undefined ? {} : { fromNumber: fromNumber as number }) };
}

/** `POST /api/v1/cache/flush`: drops stored answers, in every process and tier. */
export function cacheRoutes(state: GatewayState, world: GatewayWorld, lock: Lock): readonly AdminRoute[] {
  const flush = (body: AdminBody): AdminReply => {
    const fault = unknownMember(body, ['chain', 'method', 'fromNumber']);
    const scope = scopeOf(body);
    if (fault !== null) return refuse(400, fault);
    if (typeof scope === 'string') return refuse(400, scope);
    const chains = state.chains.filter(({ name }) => body.chain === undefined || name === body.chain);
    if (chains.length === 0) return refuse(404, 'no such chain');
    for (const { watch } of chains) watch.onFlush(scope);
    world.log.info({ ...body }, 'stored answers were dropped by an operator');
    return jsonReply({ chains: chains.map(({ name }) => name) });
  };
  return [guarded('/api/v1/cache/flush', lock, (_request, body) => flush(body))];
}
