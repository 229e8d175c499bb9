import { configFromValue } from '../config/parse.ts';
import type { Problem } from '../config/problem.ts';
import { problemText } from '../config/problem.ts';
import type { Config, UpstreamConfig } from '../config/schema.ts';
import type { Unfit, Wanted } from '../config/wanted.ts';
import { jsonReply } from '../edge/adminRoute.ts';
import type { AdminReply, AdminRequest, AdminRoute } from '../edge/adminRoute.ts';
import { guarded, unknownMember } from '../edge/adminGuard.ts';
import type { AdminBody, GuardedHandler, Lock } from '../edge/adminGuard.ts';
import type { GatewayWorld } from './node.ts';
import type { ReloadReport } from './reload.ts';
import type { GatewayState } from './state.ts';
import { chainStatus } from './status.ts';

const NOTE = 'not written to the config file: its next reload undoes this';

const refuse = (status: number, error: string): AdminReply => jsonReply({ error }, status);

/** Nothing was changed, and everything that is wrong. */
const unfit = ({ place, problems }: Unfit): AdminReply => {
  const [first] = problems;
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
  const error = `nothing is changed: ${first === undefined ? place : problemText(first, place)}${more}`;
  return jsonReply({ error, place, problems }, 422);
};

const report = ({ live, restart }: ReloadReport): object => ({ applied: live, restart });

/** `POST /api/v1/config/reload`: the config file is read anew and taken over. */
async function reloadFile(state: GatewayState, body: AdminBody): Promise<AdminReply> {
  const fault = unknownMember(body, []);
  if (fault !== null) return refuse(400, fault);
  if (state.readConfig === null) return refuse(409, 'there is no config file: the command line named the nodes');
  const done = await state.reloader.take(state.readConfig);
  return 'problems' in done ? unfit(done) : jsonReply(report(done));
}

/** The configuration in force with other upstreams in one chain, checked like a file; problems are told by the upstream's own members. */
function withUpstreams(running: Config, chain: string, change: (upstreams: readonly UpstreamConfig[]) => readonly unknown[]): Wanted {
  const chains = running.chains.map((one) => (one.name === chain ? { ...one, upstreams: change(one.upstreams) } : one));
  // a node whose upstream goes is not named by it any more
  const nodes = running.nodes.map(({ upstream: _, ...node }) => node);
  const result = configFromValue({ ...running, nodes, chains });
  if (result.ok) return { config: result.config };
  const at = running.chains.findIndex(({ name }) => name === chain);
  const own = `chains[${at}].upstreams[${running.chains[at]?.upstreams.length ?? 0}].`;
  const problems = result.problems.map((problem): Problem => ({ ...problem, path: problem.path.replace(own, '') }));
  return { place: 'request', problems };
}

/** `POST /api/v1/upstreams/:chain`: one more node, given as in the config file. */
async function add({ params }: AdminRequest, body: AdminBody, { state, world }: { state: GatewayState; world: GatewayWorld }): Promise<AdminReply> {
  const known = state.reloader.config.chains.find(({ name }) => name === params.chain);
  if (known === undefined) return refuse(404, 'no such chain');
  if (known.upstreams.some(({ name }) => name === body.name)) return refuse(409, 'the chain has an upstream of that name');
  const done = await state.reloader.take((running) => withUpstreams(running, known.name, (upstreams) => [...upstreams, body]));
  if ('problems' in done) return unfit(done);
  const chain = state.chains.find(({ name }) => name === known.name);
  const all = chain === undefined ? [] : chainStatus(chain, world.clock.nowMs(), world.clock.wallMs()).upstreams;
  return jsonReply({ upstream: all.find(({ name }) => name === body.name), ...report(done), note: NOTE }, 201);
}

/** `DELETE /api/v1/upstreams/:chain/:upstream`: no new call goes there, those under way end. */
async function remove({ params }: AdminRequest, body: AdminBody, state: GatewayState): Promise<AdminReply> {
  const fault = unknownMember(body, []);
  if (fault !== null) return refuse(400, fault);
  const known = state.reloader.config.chains.find(({ name }) => name === params.chain);
  if (known === undefined) return refuse(404, 'no such chain');
  if (!known.upstreams.some(({ name }) => name === params.upstream)) return refuse(404, 'no such upstream in this chain');
  const done = await state.reloader.take((running) =>
    withUpstreams(running, known.name, (upstreams) => upstreams.filter(({ name }) => name !== params.upstream)),
  );
  return 'problems' in done ? unfit(done) : jsonReply({ ...report(done), note: NOTE });
}

/** The routes that change the configuration in force: all of them in turn with reloads by file and signal. */
export function reloadRoutes(state: GatewayState, world: GatewayWorld, lock: Lock): readonly AdminRoute[] {
  const open =
    (handler: GuardedHandler): GuardedHandler =>
    (request, body) =>
      state.draining ? refuse(503, 'shutting down') : handler(request, body);
  return [
    guarded('/api/v1/config/reload', lock, open((_request, body) => reloadFile(state, body))),
    guarded('/api/v1/upstreams/:chain', lock, open((request, body) => add(request, body, { state, world }))),
    guarded('/api/v1/upstreams/:chain/:upstream', lock, open((request, body) => remove(request, body, state)), 'DELETE'),
  ];
}
