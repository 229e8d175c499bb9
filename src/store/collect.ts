import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalText } from '../snapshot/canonical.ts';
import { type GcPlan, type GcRules, planGc } from '../snapshot/gc.ts';
import { writeWhole } from './atomic.ts';
import { StoreFault } from './fault.ts';
import { objectsOf } from './intake.ts';
import type { SnapshotStore } from './store.ts';

/** What a round of collection came to. */
export interface Collected {
  readonly marked: number;
  readonly trashed: number;
  readonly recovered: number;
  readonly removed: number;
}

const marksPath = (store: SnapshotStore): string => join(store.root, 'marks.json');

/** Marks that cannot be read are none: everything is marked anew and waits its time. */
const readMarks = async (store: SnapshotStore): Promise<Map<string, number>> => {
  const text = await readFile(marksPath(store), 'utf8').catch(() => '{}');
  try {
    const value = JSON.parse(text) as Record<string, number>;
    return new Map(Object.entries(value).filter(([, atMs]) => Number.isSafeInteger(atMs)));
  } catch {
    return new Map();
  }
};

/** Objects that any manifest needs. One that cannot be read may need anything: nothing is collected until it is mended or gone. */
const neededBy = async (store: SnapshotStore): Promise<Set<string>> => {
  const listed = await store.manifests.list();
  const unread = listed.find(({ candidate }) => candidate === null);
  if (unread !== undefined) throw new StoreFault('unreadable', `${unread.path}: ${unread.problem}; nothing is collected while it is there`);
  return new Set(listed.flatMap(({ candidate }) => (candidate === null ? [] : objectsOf([...candidate.manifest.snapshot.files, ...candidate.manifest.snapshot.proof]))));
};

const apply = async (store: SnapshotStore, plan: GcPlan, marked: ReadonlyMap<string, number>, { nowMs, onPoint }: { readonly nowMs: number; readonly onPoint: (point: string) => void }): Promise<void> => {
  for (const name of plan.recover) await store.recover(name);
  onPoint('recovered');
  for (const name of plan.trash) {
    await store.trash(name);
    onPoint('one to the trash');
  }
  onPoint('trashed');
  for (const name of plan.remove) {
    await store.removeTrashed(name);
    onPoint('one removed');
  }
  onPoint('removed');
  const left = new Map([...marked].filter(([name]) => !plan.unmark.includes(name)));
  for (const name of plan.mark) left.set(name, Math.floor(nowMs));
  await writeWhole(marksPath(store), canonicalText(Object.fromEntries(left)));
};

const sweepPartial = async (partial: readonly string[], olderThanMs: number): Promise<void> => {
  for (const path of partial) {
    const facts = await stat(path).catch(() => null);
    if (facts !== null && facts.mtimeMs < olderThanMs) await rm(path, { force: true });
  }
};

/**
 * One round of collection; see `planGc`. Safe against a crash at any point and a capture beside it: after things went to
 * the trash the manifests are read again, and what one that appeared meanwhile needs comes back.
 * @param onPoint hears of each sub-step as it is reached
 */
export async function collect(store: SnapshotStore, rules: GcRules, onPoint: (point: string) => void = () => undefined): Promise<Collected> {
  const lock = await store.lockCollection();
  try {
    const nowMs = store.nowMs();
    const captureSinceMs = await store.captureSinceMs();
    const { objects, partial } = await store.objects.list();
    const [needed, marked, trash] = [await neededBy(store), await readMarks(store), await store.trashed()];
    const plan = planGc({ objects, marked, trash, needed, captureSinceMs }, rules, nowMs);
    onPoint('planned');
    await apply(store, plan, marked, { nowMs, onPoint });
    onPoint('marked');
    await sweepPartial(partial, Math.min(captureSinceMs ?? nowMs, nowMs) - rules.graceMs);
    const back = [...(await neededBy(store))].filter((name) => plan.trash.includes(name));
    for (const name of back) await store.recover(name);
    onPoint('swept');
    return { marked: plan.mark.length, trashed: plan.trash.length - back.length, recovered: plan.recover.length + back.length, removed: plan.remove.length };
  } finally {
    await lock.release();
  }
}
