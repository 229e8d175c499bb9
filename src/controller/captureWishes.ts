import type { NodeConfig } from '../config/schema.ts';
import type { CaptureWish, CopyFacts } from '../heal/facts.ts';
import type { NodePlan } from '../heal/plan.ts';
import { type DataCopy, takeCopy, copyDirectory } from '../store/dataCopy.ts';
import { dumpState } from '../verify/dump.ts';
import type { CaptureLook, KeptNode } from './chainLook.ts';
import { kindOf, snapshotKindOf } from './clients.ts';
import { isOver, type SnapshotTask, type SnapshotTasks } from './snapshotTasks.ts';
import type { CaptureSteps } from './steps.ts';
import { trialObstacle } from './trial.ts';

type Kind = CaptureWish['kind'];

/** What the wishes hear and say. */
export interface WishParts {
  readonly tasks: SnapshotTasks;
  readonly nowMs: () => number;
  /** Longest time that a command waits for its turn. */
  readonly patienceMs: number;
  readonly onEnded: (task: SnapshotTask, isOk: boolean) => void;
  /** Hears of each sub-step as it is reached. */
  readonly onPoint: (point: string) => void;
  /** A copy is there. */
  readonly onCopied: () => void;
}

/**
 * The part of captures that the loop of a chain sees: what is wished for, and the copies that its steps take. What becomes of a copy
 * is not its business: the node goes back to work meanwhile.
 */
export class CaptureWishes implements CaptureLook, CaptureSteps {
  readonly #parts: WishParts;
  /** What is due by schedule, by chain. */
  readonly #due = new Map<string, Omit<CaptureWish, 'node'>>();
  readonly #copied = new Map<string, string>();
  readonly #failed = new Map<string, { readonly operationId: string; readonly why: string }>();
  readonly #nodes: () => readonly NodeConfig[];

  constructor(nodes: () => readonly NodeConfig[], parts: WishParts) {
    this.#parts = parts;
    this.#nodes = nodes;
  }

  /** Why a node is never captured; null = it can be, undefined = there is no such node. */
  obstacle(node: string): string | null | undefined {
    const config = this.#find(node);
    return config === undefined ? undefined : trialObstacle(config);
  }

  #find(node: string): NodeConfig | undefined {
    return this.#nodes().find(({ name }) => name === node);
  }

  setDue(chain: string, due: Omit<CaptureWish, 'node'> | null): void {
    if (due === null) this.#due.delete(chain);
    else this.#due.set(chain, due);
  }

  /** Takes in what lies on the disk. */
  seen(node: string, copies: readonly DataCopy[]): void {
    const newest = copies.toSorted((a, b) => b.copiedAtMs - a.copiedAtMs)[0];
    if (newest === undefined) this.#copied.delete(node);
    else this.#copied.set(node, newest.operationId);
  }

  copyOf(node: string): CopyFacts | undefined {
    const config = this.#find(node);
    if (config === undefined || trialObstacle(config) !== null) return undefined;
    return { isLive: kindOf(config).dump !== null, copied: this.#copied.get(node) ?? null, failed: this.#failed.get(node) ?? null };
  }

  wishFor(chain: string): CaptureWish | null {
    const task = this.#parts.tasks.underWay(chain, 'capture');
    const due = this.#due.get(chain);
    if (task === undefined) return due === undefined ? null : { ...due, node: null };
    if (task.state !== 'waiting') return null;
    return { node: task.node, kind: task.kind ?? 'full', why: task.why, lastSource: due?.lastSource ?? null };
  }

  async copy(node: KeptNode, operationId: string, kind: Kind): Promise<void> {
    const { config } = node;
    const { dump } = kindOf(config);
    const live = { name: config.name, url: `http://127.0.0.1:${config.httpPort}` };
    const task = this.#parts.tasks.underWay(config.chain, 'capture');
    const about = { operationId, node: config.name, chain: config.chain, kind, why: task?.why ?? 'a capture that was under way', copiedAtMs: this.#parts.nowMs() };
    const fill = dump === null ? copyDirectory(config.dataDir, snapshotKindOf(config)) : async (target: string) => {
      await dumpState(live, dump, target);
      return [];
    };
    try {
      await takeCopy(config.dataDir, about, async (target) => {
        const excluded = await fill(target);
        this.#parts.onPoint('copy filled');
        return excluded;
      });
      this.#copied.set(config.name, operationId);
      this.#parts.onCopied();
    } catch (error) {
      this.#failed.set(config.name, { operationId, why: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  /** Takes in what the loop decided: captures that began, wait or came to nothing. */
  planned(chain: string, plans: readonly NodePlan[], waits: string | null): void {
    const { tasks, nowMs, patienceMs } = this.#parts;
    for (const { node, memory: { operation }, why } of plans) {
      if (operation?.kind !== 'capture' || this.#copied.get(node) === operation.id) continue;
      const kind = operation.captureKind ?? 'full';
      const task = tasks.underWay(chain, 'capture') ?? tasks.add({ what: 'capture', chain, node, kind, why: operation.why, state: 'copying', beganAtMs: nowMs() });
      tasks.change(task.id, { state: 'copying', node, told: why });
    }
    const task = tasks.underWay(chain, 'capture');
    if (task === undefined) return;
    const ended = plans.find(({ node, ended: over }) => node === task.node && over?.operation.kind === 'capture');
    if (ended?.ended != null && ended.ended.outcome !== 'done' && task.state === 'copying' && this.#copied.get(ended.node) !== ended.ended.operation.id) this.#end(task, ended.why);
    if (task.state !== 'waiting' || waits === null) return;
    tasks.change(task.id, { told: waits });
    if (nowMs() - task.beganAtMs >= patienceMs) this.#end(task, `it did not get its turn: ${waits}`);
  }

  #end(task: SnapshotTask, told: string): void {
    if (isOver(task)) return;
    const endedAtMs = this.#parts.nowMs();
    this.#parts.tasks.change(task.id, { state: 'failed', told, endedAtMs });
    this.#parts.onEnded({ ...task, told, endedAtMs }, false);
  }
}
