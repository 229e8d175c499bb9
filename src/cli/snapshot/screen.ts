import { formatSizeBytes } from '../../config/units.ts';
import type { Candidate } from '../../snapshot/choose.ts';
import type { LevelRecord, SnapshotBody, Verification } from '../../snapshot/manifest.ts';
import { plainText } from '../ask.ts';
import type { World } from '../ports.ts';
import { tableLines } from '../table.ts';

const ID_DIGITS = 12;
const BAR_CELLS = 24;

/** The part of an id that a person reads. */
export function shortId(id: string): string {
  return id.slice(0, ID_DIGITS);
}

/** Bytes rounded to something readable. */
export function bytesText(bytes: number): string {
  for (const unit of [1024 ** 3, 1024 ** 2, 1024]) {
    if (bytes >= unit) return formatSizeBytes(unit).replace('1', (bytes / unit).toFixed(1));
  }
  return `${bytes}B`;
}

/** Bytes of all files. */
export function sizeOf({ files }: Pick<SnapshotBody, 'files'>): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Such as `L0 L1 L3`; what failed is marked. */
export function provenText(verification: Verification | null): string {
  const shown = (verification?.levels ?? []).flatMap(({ level, verdict }) => (verdict === 'proven' ? [level] : verdict === 'failed' ? [`${level}!`] : []));
  return shown.length === 0 ? '-' : shown.join(' ');
}

/** One line per level. */
export function levelLines(levels: readonly LevelRecord[]): string[] {
  return tableLines(['LEVEL', 'VERDICT', 'WHY'], levels.map(({ level, verdict, why }) => [level, verdict, why]));
}

/** What a snapshot is, as lines. */
export function snapshotLines({ id, manifest: { snapshot, verification } }: Candidate, problem: string | null): string[] {
  const { chain, client, head, kind, parent, files, proof, source, createdAtMs, excluded, tree } = snapshot;
  const lines = [
    `snapshot  ${id}`,
    `chain     ${chain.name} (chain id ${chain.chainId}, genesis ${chain.genesisHash})`,
    `head      ${head.number} ${head.hash}`,
    `state     ${head.stateRoot}`,
    `client    ${client.kind} ${client.version}`,
    `taken     ${new Date(createdAtMs).toISOString()} from ${source}`,
    `kind      ${kind}${parent === null ? '' : ` on ${shortId(parent.id)} (${parent.sequence})`}, number ${snapshot.sequence}`,
    `files     ${files.length} with ${bytesText(sizeOf(snapshot))}, proof ${bytesText(sizeOf({ files: proof }))}`,
    `tree      ${tree.leafCount} leaves, root ${tree.root}`,
    ...excluded.map(({ path, reason }) => `left out  ${path}: ${reason}`),
    ...(problem === null ? [] : [`REFUSED   ${problem}`]),
  ];
  return [...lines.map(plainText), ...(verification === null ? ['never verified'] : levelLines(verification.levels))];
}

/** A bar with a share and words behind it. */
export function showProgress(world: World, share: number, words: string): void {
  const cells = Math.round(BAR_CELLS * Math.min(1, Math.max(0, share)));
  world.progress?.(`[${'#'.repeat(cells)}${'.'.repeat(BAR_CELLS - cells)}] ${Math.floor(100 * share)}% ${words}`);
}
