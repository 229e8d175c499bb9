import type { SnapshotBody } from '../snapshot/manifest.ts';

/** What is being done about a snapshot, for people and for whoever waits for it. */
export interface SnapshotTask {
  readonly id: string;
  readonly what: 'capture' | 'drill';
  readonly chain: string;
  /** Null = not chosen yet. */
  readonly node: string | null;
  readonly kind: SnapshotBody['kind'] | null;
  readonly why: string;
  /** `unproven`: it is in the store, but not proven as far as the configuration asks. */
  readonly state: 'waiting' | 'copying' | 'capturing' | 'verifying' | 'restoring' | 'done' | 'unproven' | 'failed';
  /** One sentence: what is waited for, how far it is, what it came to. */
  readonly told: string;
  readonly beganAtMs: number;
  readonly endedAtMs: number | null;
  readonly snapshot: string | null;
  /** Levels that are proven of it. */
  readonly proven: readonly string[];
}

const MAX_TASKS = 100;

/** Whether nothing more comes of it. */
export const isOver = ({ state }: SnapshotTask): boolean => state === 'done' || state === 'unproven' || state === 'failed';

/** The newest tasks, in memory: what they come to is in the journal and in the store. */
export class SnapshotTasks {
  readonly #tasks = new Map<string, SnapshotTask>();
  #count = 0;

  add(task: Pick<SnapshotTask, 'what' | 'chain' | 'node' | 'kind' | 'why' | 'state' | 'beganAtMs'>): SnapshotTask {
    const whole: SnapshotTask = { id: `${task.what}-${task.chain}-${task.beganAtMs}-${++this.#count}`, told: task.why, endedAtMs: null, snapshot: null, proven: [], ...task };
    this.#tasks.set(whole.id, whole);
    const [oldest] = [...this.#tasks.values()].filter(isOver);
    if (this.#tasks.size > MAX_TASKS && oldest !== undefined) this.#tasks.delete(oldest.id);
    return whole;
  }

  /** Changes one that goes on. */
  change(id: string, change: Partial<SnapshotTask>): void {
    const task = this.#tasks.get(id);
    if (task !== undefined && !isOver(task)) this.#tasks.set(id, { ...task, ...change });
  }

  find(id: string): SnapshotTask | undefined {
    return this.#tasks.get(id);
  }

  /** The one of a chain that goes on. */
  underWay(chain: string, what: SnapshotTask['what']): SnapshotTask | undefined {
    return [...this.#tasks.values()].find((task) => task.chain === chain && task.what === what && !isOver(task));
  }

  /** Newest first. */
  list(): readonly SnapshotTask[] {
    return [...this.#tasks.values()].reverse();
  }
}
