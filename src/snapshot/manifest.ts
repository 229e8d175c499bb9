import * as z from 'zod';
import { MAX_CHUNK_BYTES } from './chunker.ts';

const MAX_BYTES = Number.MAX_SAFE_INTEGER;
const digest = z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hex digits in lower case' });
const word = z.string().regex(/^0x[0-9a-f]{64}$/, { error: 'must be 0x and 64 hex digits in lower case' });
const text = (max: number) => z.string().max(max, { error: `must be a text of at most ${max} characters` });
const whole = (min: number, max = MAX_BYTES) => z.int().min(min).max(max);
const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, { error: 'must be a name in lower case' });

/** Bytes of a file, at most 4 MiB, stored raw or as gzip. */
const chunk = z.strictObject({
  /** SHA-256 of the plain bytes. */
  id: digest,
  sizeBytes: whole(1, MAX_CHUNK_BYTES),
  /** How it lies in the store; null = as it is. The hash is of the stored bytes. */
  gzip: z.strictObject({ sha256: digest, sizeBytes: whole(1, 2 * MAX_CHUNK_BYTES) }).nullable(),
});

const FILE_KINDS = ['immutable', 'paged', 'stream'] as const;

const file = z.strictObject({
  /** Relative, with `/`. */
  path: text(4096),
  /** Permission bits. */
  mode: whole(0, 0o777),
  sizeBytes: whole(0),
  /** Immutable and paged files are cut each 4 MiB, streams by content. */
  kind: z.enum(FILE_KINDS),
  chunks: z.array(chunk),
});

const parent = z.strictObject({ id: digest, sequence: whole(1), headNumber: whole(0), headHash: word });

/** What was captured. Its canonical text is the snapshot: the id is the SHA-256 of it. */
const body = z.strictObject({
  format: z.literal('tidegate-snapshot'),
  version: z.literal(1, { error: 'must be 1: another version of Tidegate wrote this' }),
  chain: z.strictObject({ name, family: z.literal('evm'), chainId: whole(1), genesisHash: word }),
  /** Grows with each snapshot of the chain in its store. */
  sequence: whole(1),
  kind: z.enum(['full', 'incremental']),
  parent: parent.nullable(),
  client: z.strictObject({ kind: name, version: text(256) }),
  head: z.strictObject({ number: whole(0), hash: word, stateRoot: word, timestampS: whole(0) }),
  createdAtMs: whole(0),
  /** Name of the node it was taken from. */
  source: text(256),
  files: z.array(file),
  /** Blocks, receipts and state proofs that travel along. */
  proof: z.array(file),
  /** Files that were left out. */
  excluded: z.array(z.strictObject({ path: text(4096), reason: text(256) })),
  tree: z.strictObject({ leafCount: whole(1), root: digest }),
});

export const LEVELS = ['L0', 'L1', 'L2', 'L3', 'L4', 'L5', 'L6'] as const;
export const VERDICTS = ['proven', 'failed', 'unsupported', 'notProvable', 'notRun'] as const;

const levelRecord = z.strictObject({
  level: z.enum(LEVELS),
  verdict: z.enum(VERDICTS),
  /** One sentence: what was shown, or what stands against it. */
  why: text(2000),
  /** What it rests on, such as `blocks: 128`. */
  counts: z.record(z.string().regex(/^[a-zA-Z]{1,40}$/), whole(0)),
});

const verification = z.strictObject({ atMs: whole(0), levels: z.array(levelRecord).max(LEVELS.length) });
const signature = z.strictObject({ keyId: digest, value: z.string().regex(/^[0-9a-f]{128}$/, { error: 'must be 128 hex digits' }) });

/** A snapshot, what was proven of it, and who says so. */
export const manifestObject = z.strictObject({
  snapshot: body,
  verification: verification.nullable(),
  signatures: z.array(signature).max(16),
});

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

export type Manifest = Frozen<z.output<typeof manifestObject>>;
export type SnapshotBody = Manifest['snapshot'];
export type FileEntry = SnapshotBody['files'][number];
export type FileKind = FileEntry['kind'];
export type Chunk = FileEntry['chunks'][number];
export type Verification = NonNullable<Manifest['verification']>;
export type LevelRecord = Verification['levels'][number];
export type Level = LevelRecord['level'];
export type Verdict = LevelRecord['verdict'];
export type Signature = Manifest['signatures'][number];
