import * as z from 'zod';
import { DEFAULTS } from './defaults.ts';
import { choice, count, durationMs, flag, listOf, ratio, section, sizeBytes } from './fields.ts';

const D = DEFAULTS.snapshots;
const C = DEFAULTS.chain.snapshots;
const DAY_MS = 86_400_000;
const YEAR_MS = 366 * DAY_MS;

const path = (defaultPath: string, text: string) =>
  z
    .string({ error: 'must be a path' })
    .min(1, { error: 'must be a path' })
    .max(4096, { error: 'must be at most 4096 characters' })
    .default(defaultPath)
    .describe(text);

/** Where snapshots are kept, for how long, and what goes with them. */
export const snapshotsSection = section(
  {
    directory: path(D.directory, 'The store.'),
    keyFile: path(D.keyFile, 'Ed25519 key that manifests are signed with, in PEM; made where it is missing.'),
    trustFile: path(D.trustFile, 'Keys whose manifests count, and beside it what was seen and how far a verification is; keep it outside the store.'),
    gzip: flag(D.gzip, 'Store chunks as gzip where that saves a tenth.'),
    threads: count(D.threads, [0, 256], 'Threads that verify; 0 = one for each processor.'),
    everyMs: durationMs(D.everyMs, [1000, YEAR_MS], 'Least time between two snapshots of a chain.'),
    fullEveryMs: durationMs(D.fullEveryMs, [1000, YEAR_MS], 'Least time between two full snapshots, which read every byte in the store anew.'),
    keep: section(
      {
        last: count(D.keep.last, [1, 10_000], 'Newest snapshots that stay.'),
        hourly: count(D.keep.hourly, [0, 10_000], 'Hours of which the newest stays.'),
        daily: count(D.keep.daily, [0, 10_000], 'Days of which the newest stays.'),
        weekly: count(D.keep.weekly, [0, 10_000], 'Weeks of which the newest stays.'),
        monthly: count(D.keep.monthly, [0, 10_000], 'Months of which the newest stays.'),
      },
      'What stays when snapshots are pruned; the newest, the last proven and pinned ones stay always.',
    ),
    graceMs: durationMs(D.graceMs, [0, YEAR_MS], 'Time from the day an object is found unused to the trash.'),
    trashMs: durationMs(D.trashMs, [0, YEAR_MS], 'Time that an object stays in the trash.'),
    proof: section(
      {
        blocks: count(D.proof.blocks, [1, 1_000_000], 'Newest blocks that are captured with bodies and receipts.'),
        samples: count(D.proof.samples, [0, 100_000], 'Accounts whose state is sampled.'),
      },
      'What is captured of a node to prove its snapshot with.',
    ),
    capture: section(
      {
        enabled: flag(D.capture.enabled, 'The controller captures its nodes each everyMs, one at a time; without it on command only.'),
        jitter: ratio(D.capture.jitter, [0, 1], 'Share of everyMs by which a capture is put off at random.'),
        retryMs: durationMs(D.capture.retryMs, [1000, YEAR_MS], 'Wait after a capture that failed.'),
        bootTimeoutMs: durationMs(D.capture.bootTimeoutMs, [1000, DAY_MS], 'Longest time for a trial boot to answer.'),
      },
      'How the controller captures the nodes that it keeps.',
    ),
    tree: section(
      {
        enabled: flag(D.tree.enabled, 'Keep the files of the last proven snapshot as a read-only tree, for mounting; takes their whole size.'),
        checkEveryMs: durationMs(D.tree.checkEveryMs, [1000, YEAR_MS], 'Time after which the controller hashes the tree anew.'),
      },
      'The tree of the last proven snapshot.',
    ),
    drill: section({ everyMs: durationMs(D.drill.everyMs, [0, YEAR_MS], 'Time between two drills of the controller; 0 = on command only.') }, 'Restores of the newest snapshot for the proof that it can be done.'),
    restore: section(
      {
        trialBoot: choice(['auto', 'never'], D.restore.trialBoot, 'Boot staged data apart from everything before it takes the place of a node\'s, where that can be done.'),
        trialCopyBytes: sizeBytes(D.restore.trialCopyBytes, [0, 2 ** 50], 'Largest data that is copied once more for it where the file system shares no blocks; larger data is not booted.'),
      },
      'How the controller restores.',
    ),
  },
  'Snapshots of nodes.',
);

const level = z.enum(['L0', 'L1', 'L2', 'L3', 'L4', 'L5', 'L6'], { error: 'must be one of L0 to L6' });
const checkpoint = z.string().regex(/^\d{1,15}:0x[0-9a-fA-F]{64}$/, { error: 'must be a block number, a colon and its hash' });
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, { error: 'must be an address' });

/** What a snapshot of a chain must show before it may serve. */
export const chainSnapshotsSection = section(
  {
    levels: listOf(level, C.levels, 7, 'Levels that must be proven before a snapshot serves; see docs/snapshots.md.'),
    checkpoints: listOf(checkpoint, C.checkpoints, 100, 'Blocks known to be of the chain, such as 20000000:0x….'),
    genesisHash: z
      .string()
      .regex(/^(0x[0-9a-fA-F]{64})?$/, { error: 'must be a block hash, or "" for what the node says' })
      .default(C.genesisHash)
      .describe('Hash of block 0; empty = what the node says, which anchors nothing.'),
    quorum: count(C.quorum, [0, 256], 'Nodes beside the source that must have the same head; 0 = none is asked.'),
    watch: listOf(address, C.watch, 10_000, 'Accounts whose state is always sampled.'),
  },
  'What a snapshot of the chain must show.',
);
