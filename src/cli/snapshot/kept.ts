import { setTimeout as wait } from 'node:timers/promises';
import { ask, change, plainText } from '../ask.ts';
import type { Changing } from '../given.ts';
import { EXIT, type World } from '../ports.ts';
import { tellFault } from '../tellReload.ts';
import type { SnapshotCommand } from './args.ts';

const POLL_MS = 500;
/** Questions without an answer until it counts as gone. */
const MAX_SILENCE = 20;

interface Task {
  readonly id: string;
  readonly state: string;
  readonly told: string;
  readonly endedAtMs: number | null;
  readonly snapshot: string | null;
}

const isTask = (value: unknown): value is Task => typeof (value as Partial<Task> | null)?.id === 'string' && typeof (value as Partial<Task>).told === 'string';

const follow = async (kept: Changing, begun: Task, world: World): Promise<{ readonly task: Task; readonly body: string } | { readonly fault: string }> => {
  let silence = 0;
  for (;;) {
    const asked = await ask(kept.admin, `/api/v1/snapshots/tasks/${encodeURIComponent(begun.id)}`, world);
    if (!('fault' in asked) && isTask(asked.value)) {
      silence = 0;
      const task = asked.value;
      if (task.endedAtMs !== null) return { task, body: asked.body };
      world.progress?.(plainText(`${task.state}: ${task.told}`));
    } else if (++silence > MAX_SILENCE) return { fault: 'fault' in asked ? asked.fault : `${kept.admin}: not the admin port of a controller` };
    await wait(POLL_MS);
  }
};

/** Has a running controller capture a node that it keeps, or hold a drill beside it, and waits for what it comes to. */
export async function askKeeper({ action, words, kind, switches }: SnapshotCommand, kept: Changing & { readonly node: string }, world: World): Promise<number> {
  const path = `/api/v1/nodes/${encodeURIComponent(kept.node)}/${action === 'drill' ? 'drill' : 'capture'}`;
  const body = action === 'drill' ? { ...(words[0] === undefined ? {} : { snapshot: words[0] }) } : { ...(kind === 'auto' ? {} : { kind }) };
  const begun = await change(kept, { method: 'POST', path, body }, world);
  if ('fault' in begun) return tellFault(begun, world);
  if (!isTask(begun.value)) return tellFault({ fault: `${kept.admin}: not the admin port of a controller` }, world);
  const over = await follow(kept, begun.value, world);
  world.progress?.('');
  if ('fault' in over) return tellFault(over, world);
  world.out(switches.has('json') ? over.body.trimEnd() : plainText(over.task.told));
  if (over.task.state === 'done') return EXIT.ok;
  return over.task.state === 'unproven' ? EXIT.unproven : EXIT.failed;
}
