import type { ControllerMetrics } from '../observe/controllerMetrics.ts';
import type { Journal, JournalEntry } from '../observe/journal.ts';
import type { Logger } from '../observe/log.ts';
import type { CaptureSchedule, Clocks } from './captureSchedule.ts';
import type { CaptureWishes } from './captureWishes.ts';
import type { SnapshotTask, SnapshotTasks } from './snapshotTasks.ts';

/** What the keeper of the snapshots works with. */
export interface SnapshotterDeps extends Clocks {
  readonly log: Logger;
  readonly journal: Journal;
  readonly metrics: ControllerMetrics;
  readonly onEntry: (entry: JournalEntry) => void;
  /** Hears of each sub-step as it is reached, by name. */
  readonly onPoint: (point: string) => void;
}

/** What the snapshots of all chains share. */
export interface ChainParts extends SnapshotterDeps {
  readonly wishes: CaptureWishes;
  readonly tasks: SnapshotTasks;
  readonly schedule: CaptureSchedule;
  readonly signal: AbortSignal;
  readonly onEnded: (task: SnapshotTask, isOk: boolean) => void;
}
