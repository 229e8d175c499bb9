import { stat } from 'node:fs/promises';
import { atPath, StoreFault } from '../../store/fault.ts';
import { AskFault } from '../../verify/ask.ts';
import { plainText } from '../ask.ts';
import { EXIT, type World } from '../ports.ts';
import { exportTo, importFrom, listSnapshots, makeKey, pruneSnapshots, restoreTo, showSnapshot, verifyStored } from './actions.ts';
import type { SnapshotCommand } from './args.ts';
import { createSnapshot } from './create.ts';
import { askKeeper } from './kept.ts';
import { setUp, type Setup } from './setup.ts';

const RUN: Readonly<Record<SnapshotCommand['action'], (setup: Setup) => Promise<number>>> = {
  create: createSnapshot,
  list: listSnapshots,
  show: showSnapshot,
  verify: verifyStored,
  restore: restoreTo,
  prune: pruneSnapshots,
  export: exportTo,
  import: importFrom,
  // asked of a controller before anything is set up
  drill: () => Promise.resolve(EXIT.usage),
  keygen: makeKey,
};

/** What makes the store where there is none, or needs none. */
const STORELESS: ReadonlySet<SnapshotCommand['action']> = new Set<SnapshotCommand['action']>(['create', 'import', 'keygen']);

/** A store that is not there is no empty one: its path may be mistyped. */
const checkStore = async ({ command, settings: { directory } }: Setup): Promise<void> => {
  if (STORELESS.has(command.action) || command.texts.has('offline')) return;
  const facts = await atPath(directory, () => stat(directory)).catch((error: unknown) => {
    if (error instanceof StoreFault && error.code === 'ENOENT') return null;
    throw error;
  });
  if (facts?.isDirectory() !== true) throw new StoreFault('missing', `${directory}: there is no store of snapshots here`);
};

/** Runs `tidegate snapshot …`. What the store or a node refuses is one line; anything else is a bug and thrown. */
export async function runSnapshot(command: SnapshotCommand, world: World): Promise<number> {
  if (command.kept !== null) return askKeeper(command, command.kept, world);
  try {
    const result = await setUp(command, world);
    if ('setup' in result) {
      await checkStore(result.setup);
      return await RUN[command.action](result.setup);
    }
    for (const line of result.lines) world.err(line);
    return EXIT.failed;
  } catch (error) {
    if (!(error instanceof StoreFault || error instanceof AskFault)) throw error;
    world.progress?.('');
    world.err(`tidegate: ${plainText(error.message)}`);
    return EXIT.failed;
  }
}
