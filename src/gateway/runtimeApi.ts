import { jsonReply } from '../edge/adminRoute.ts';
import type { AdminReply, AdminRequest, AdminRoute } from '../edge/adminRoute.ts';
import { guarded, unknownMember } from '../edge/adminGuard.ts';
import type { AdminBody as Body, Lock } from '../edge/adminGuard.ts';
import type { ChainWatch } from './watch.ts';
import type { GatewayWorld } from './node.ts';
import type { GatewayState } from './state.ts';
import { chainStatus } from './status.ts';

const MAX_WEIGHT = 10_000;

/** What is wrong with the body, or null once the change was told to the judge. */
type Change = (chain: ChainWatch, index: number, body: Body) => string | null;

const refuse = (status: number, error: string): AdminReply => jsonReply({ error }, status);

function changes(world: GatewayWorld): Readonly<Record<string, Change>> {
  const state =
    (name: 'cordon' | 'uncordon'): Change =>
    (chain, index, body) => {
      const fault = unknownMember(body, []);
      if (fault === null) chain.judge[name](index, world.clock.nowMs());
      return fault;
    };
  const weight: Change = (chain, index, body) => {
    const fault = unknownMember(body, ['weight']);
    if (fault !== null) return fault;
    const { weight: value } = body;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MAX_WEIGHT) return `weight must be a whole number from 0 to ${MAX_WEIGHT}`;
    chain.judge.setWeight(index, value);
    return null;
  };
  return { cordon: state('cordon'), uncordon: state('uncordon'), weight };
}

/** `POST /api/v1/upstreams/:chain/:upstream/cordon|uncordon|weight`; each answers with the upstream as it is from now on. */
export function runtimeRoutes(state: GatewayState, world: GatewayWorld, lock: Lock): readonly AdminRoute[] {
  const run = (action: string, change: Change, { params }: AdminRequest, body: Body): AdminReply => {
    const chain = state.chains.find(({ name }) => name === params.chain);
    if (chain === undefined) return refuse(404, 'no such chain');
    const nowMs = world.clock.nowMs();
    const known = chain.watch.reports(nowMs).find(({ name }) => name === params.upstream);
    if (known === undefined) return refuse(404, 'no such upstream in this chain');
    const fault = change(chain.watch, known.index, body);
    if (fault !== null) return refuse(400, fault);
    world.log.info({ chain: chain.name, upstream: known.name, action, ...body }, 'changed by an operator');
    // calls that are waiting on the node learn of it here, not at the next regular beat
    chain.watch.beat(nowMs);
    return jsonReply(chainStatus(chain, nowMs, world.clock.wallMs()).upstreams.find(({ name }) => name === known.name));
  };
  return Object.entries(changes(world)).map(([action, change]) =>
    guarded(`/api/v1/upstreams/:chain/:upstream/${action}`, lock, (request, body) => run(action, change, request, body)),
  );
}
