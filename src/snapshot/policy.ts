import type { Level, Manifest } from './manifest.ts';

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
