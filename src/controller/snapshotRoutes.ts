import { guarded, unknownMember } from '../edge/adminGuard.ts';
import type { Lock } from '../edge/adminGuard.ts';
import { jsonReply } from '../edge/adminRoute.ts';
import type { AdminReply, AdminRoute } from '../edge/adminRoute.ts';
import type { SnapshotTask } from './snapshotTasks.ts';
import type { Refused, Snapshotter } from './snapshotter.ts';

const told = (result: SnapshotTask | Refused): AdminReply =>
  'refused' in result ? jsonReply({ error: result.refused }, result.refused === 'no such node' ? 404 : 409) : jsonReply(result, 202);

/** Captures and drills by command, and what they come to. */
export function snapshotRoutes(snapshots: Snapshotter, lock: Lock): readonly AdminRoute[] {
  return [
    { method: 'GET', path: '/api/v1/snapshots/tasks', handler: () => jsonReply(snapshots.tasks.list()) },
    {
      method: 'GET',
      path: '/api/v1/snapshots/tasks/:task',
      handler: ({ params }) => {
        const task = snapshots.tasks.find(params['task'] ?? '');
        return task === undefined ? jsonReply({ error: 'no such task' }, 404) : jsonReply(task);
      },
    },
    guarded('/api/v1/nodes/:node/capture', lock, async ({ params }, body) => {
      const { kind = null } = body;
      const fault = unknownMember(body, ['kind']);
      if (fault !== null) return jsonReply({ error: fault }, 400);
      if (kind !== null && kind !== 'full' && kind !== 'incremental') return jsonReply({ error: 'kind must be full or incremental' }, 400);
      return told(await snapshots.capture(params['node'] ?? '', kind));
    }),
    guarded('/api/v1/nodes/:node/drill', lock, ({ params }, body) => {
      const { snapshot = null } = body;
      const fault = unknownMember(body, ['snapshot']);
      if (fault !== null) return jsonReply({ error: fault }, 400);
      if (snapshot !== null && !(typeof snapshot === 'string' && /^[0-9a-f]{4,64}$/.test(snapshot))) return jsonReply({ error: 'snapshot must be an id, or at least 4 digits of one' }, 400);
      return told(snapshots.drill(params['node'] ?? '', snapshot));
    }),
  ];
}
