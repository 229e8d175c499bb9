import type { Level, LevelRecord, Manifest, Verification } from './manifest.ts';

/** Levels that must be proven before a snapshot may serve. */
export interface ProofPolicy {
  readonly levels: readonly Level[];
}

/**
 * Why a snapshot is not proven as far as the policy asks; null when it is. Only what was recorded as proven counts:
 * not provable is not proven.
 */
export function unproven({ verification }: Pick<Manifest, 'verification'>, { levels }: ProofPolicy): string | null {
  if (verification === null) return 'it was never verified';
  for (const level of levels) {
    const record = verification.levels.find((one) => one.level === level);
    if (record === undefined) return `${level} was not verified`;
    if (record.verdict !== 'proven') return `${level} is ${record.verdict}: ${record.why}`;
  }
  return null;
}

/**
 * What is known after a new verification. The bytes are the same as ever, so what was proven of them stays proven where
 * the new one had not the means to show it; what it found against them counts.
 */
export function mergeVerification(before: Verification | null, after: Verification): Verification {
  const kept = (record: LevelRecord): LevelRecord => {
    const old = before?.levels.find(({ level }) => level === record.level);
    const isSilent = record.verdict === 'notRun' || record.verdict === 'notProvable';
    return isSilent && old?.verdict === 'proven' ? old : record;
  };
  return { atMs: after.atMs, levels: after.levels.map(kept) };
}
