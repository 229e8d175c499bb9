import { guarded, unknownMember } from '../edge/adminGuard.ts';
import type { AdminBody, Lock } from '../edge/adminGuard.ts';
import { jsonReply } from '../edge/adminRoute.ts';
import type { AdminReply, AdminRequest, AdminRoute } from '../edge/adminRoute.ts';
import { problemText } from '../config/problem.ts';
import type { Problem } from '../config/problem.ts';
import type { HealOptions } from '../heal/options.ts';
import { rowOf } from '../heal/row.ts';
import type { Keeper, NodeStatus, Wish } from './keeper.ts';

const WISHES: readonly Wish[] = ['start', 'stop', 'restart', 'pause', 'resume'];

export interface ChangeParts {
  readonly keeper: Keeper;
  readonly lock: Lock;
  readonly options: HealOptions;
  readonly shown: (status: NodeStatus) => object;
}

const refuse = (status: number, error: string): AdminReply => jsonReply({ error }, status);

/** Nothing was changed, and everything that is wrong. */
function unfit(problems: readonly Problem[]): AdminReply {
  const [first] = problems;
  const error = `nothing is changed: ${first === undefined ? 'the node has problems' : problemText(first, 'request')}`;
  return jsonReply({ error, place: 'request', problems }, problems.some(({ message }) => message.startsWith('is the same name')) ? 409 : 422);
}

const isDry = ({ query }: AdminRequest): boolean => query.get('dryRun') === 'true';

/** The routes that change what is kept, and how; with `?dryRun=true` they only say what would follow. */
export function changeRoutes({ keeper, lock, options, shown }: ChangeParts): readonly AdminRoute[] {
  const find = (name: string): NodeStatus | undefined => keeper.list().find(({ config }) => config.name === name);

  function planned(name: string, wish: Wish): AdminReply {
    const plan = keeper.preview(name, wish);
    if (plan === null) return refuse(503, 'not looked at yet');
    const { operation } = plan.memory;
    const steps = operation === null || plan.ended !== null ? [] : rowOf(operation.kind, options);
    return jsonReply({ dryRun: true, node: name, action: wish, steps, next: plan.step, guards: plan.guards, why: plan.why });
  }

  function wished({ params, ...request }: AdminRequest, wish: Wish, deleteData = false): AdminReply {
    const name = params.node ?? '';
    const before = find(name);
    if (before === undefined) return refuse(404, 'no such node');
    if (isDry({ params, ...request })) return planned(name, wish);
    if (!keeper.wish(name, wish, deleteData)) return refuse(409, 'it is being removed');
    return jsonReply(shown(find(name) ?? before), 202);
  }

  function added(request: AdminRequest, body: AdminBody): AdminReply {
    const checked = isDry(request) ? keeper.check(body) : keeper.add(body);
    if ('problems' in checked) return unfit(checked.problems);
    if (isDry(request)) return jsonReply({ dryRun: true, node: checked.name, action: 'add', steps: ["put it on the gateway's list where it is not", ...rowOf('start', options)], next: null, guards: [], why: 'it goes with all that is kept' });
    const status = find(checked.name);
    return status === undefined ? refuse(404, 'no such node') : jsonReply(shown(status), 201);
  }

  function removed(request: AdminRequest, body: AdminBody): AdminReply {
    const { deleteData = false } = body;
    const fault = unknownMember(body, ['deleteData']) ?? (typeof deleteData === 'boolean' ? null : 'deleteData must be true or false');
    return fault === null ? wished(request, 'remove', deleteData === true) : refuse(400, fault);
  }

  return [
    ...WISHES.map((wish) =>
      guarded(`/api/v1/nodes/:node/${wish}`, lock, (request, body) => {
        const fault = unknownMember(body, []);
        return fault === null ? wished(request, wish) : refuse(400, fault);
      }),
    ),
    guarded('/api/v1/nodes', lock, added),
    guarded('/api/v1/nodes/:node', lock, removed, 'DELETE'),
  ];
}
