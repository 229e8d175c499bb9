import { toHex } from '../../src/snapshot/bytes.ts';
import { leafHash, leavesOf } from '../../src/snapshot/leaves.ts';
import type { FileEntry, LevelRecord, Manifest, SnapshotBody } from '../../src/snapshot/manifest.ts';
import { merkleRoot } from '../../src/snapshot/merkle.ts';
import { snapshotId } from '../../src/snapshot/sign.ts';
import { sha256 } from './mainnet.ts';

export const word = (digit: string): string => `0x${digit.repeat(64)}`;

/** A small stream of one chunk. */
export function file(path: string, text = path): FileEntry {
  const bytes = Buffer.from(text);
  return { path, mode: 0o644, sizeBytes: bytes.length, kind: 'stream', chunks: [{ id: toHex(sha256(bytes)), sizeBytes: bytes.length, gzip: null }] };
}

/** A snapshot whose tree fits its files. */
export function body(change: Partial<SnapshotBody> = {}): SnapshotBody {
  const base: SnapshotBody = {
    format: 'tidegate-snapshot',
    version: 1,
    chain: { name: 'demo', family: 'evm', chainId: 31_337, genesisHash: word('1') },
    sequence: 1,
    kind: 'full',
    parent: null,
    client: { kind: 'anvil', version: '1.7.1' },
    head: { number: 10, hash: word('a'), stateRoot: word('b'), timestampS: 1_700_000_000 },
    createdAtMs: 1_700_000_000_000,
    source: 'node-1',
    files: [file('state.json')],
    proof: [],
    excluded: [],
    tree: { leafCount: 2, root: '0'.repeat(64) },
    ...change,
  };
  const leaves = leavesOf(base).map((leaf) => leafHash(sha256, leaf));
  return { ...base, tree: { leafCount: leaves.length, root: toHex(merkleRoot(sha256, leaves)) } };
}

/** A manifest that was proven to these levels. */
export function manifest(change: Partial<SnapshotBody> = {}, levels: readonly LevelRecord['level'][] = []): Manifest {
  const records = levels.map((level): LevelRecord => ({ level, verdict: 'proven', why: 'test', counts: {} }));
  return { snapshot: body(change), verification: records.length === 0 ? null : { atMs: 1, levels: records }, signatures: [] };
}

export const candidate = (change: Partial<SnapshotBody> = {}, levels: readonly LevelRecord['level'][] = []): { id: string; manifest: Manifest } => {
  const made = manifest(change, levels);
  return { id: snapshotId(sha256, made.snapshot), manifest: made };
};
