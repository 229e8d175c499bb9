import { jsonReply } from '../edge/adminRoute.ts';
import type { AdminReply, AdminRoute } from '../edge/adminRoute.ts';
import { explainCall } from './explain.ts';
import type { GatewayWorld } from './node.ts';
import type { GatewayState } from './state.ts';

const MAX_METHOD_CHARS = 256;

const refuse = (status: number, error: string): AdminReply => jsonReply({ error }, status);

/** `GET /api/v1/explain?method=…&params=…&chain=…&client=…`; without `chain` it is the first one. */
export function explainRoute(state: GatewayState, world: GatewayWorld): AdminRoute {
  return {
    method: 'GET',
    path: '/api/v1/explain',
    handler: ({ query }) => {
      const name = query.get('chain');
      const chain = name === null ? state.chains[0] : state.chains.find((one) => one.name === name);
      if (chain === undefined) return refuse(404, 'no such chain');
      const method = query.get('method') ?? '';
      if (method === '' || method.length > MAX_METHOD_CHARS) return refuse(400, `method must be 1 to ${MAX_METHOD_CHARS} characters`);
      const params = (query.get('params') ?? '').trim();
      if (params !== '' && !isParams(params)) return refuse(400, 'params must be a JSON array or object');
      return jsonReply(explainCall(chain, { method, params, client: query.get('client') ?? '' }, world.clock.nowMs()));
    },
  };
}

function isParams(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
