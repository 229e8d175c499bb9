import type { Candidate } from '../../snapshot/choose.ts';
import type { Verification } from '../../snapshot/manifest.ts';
import { unproven } from '../../snapshot/policy.ts';
import { runVerification, type ToVerify } from '../../vault/judge.ts';
import { EXIT } from '../ports.ts';
import { bytesText, showProgress } from './screen.ts';
import type { Setup } from './setup.ts';

/** Verifies and shows how far it is. */
export async function verifyShown(setup: Setup, work: ToVerify): Promise<Verification> {
  const { command, world } = setup;
  try {
    return await runVerification(setup, work, {
      anchors: command,
      trialBoot: null,
      onProgress: ({ bytes, totalBytes, headers }) => showProgress(world, totalBytes === 0 ? 1 : bytes / totalBytes, `verified ${bytesText(bytes)}${headers > 0 ? `, ${headers} headers` : ''}`),
    });
  } finally {
    world.progress?.('');
  }
}

/** Exit code: proven as far as the policy asks, damaged, or only not proven. */
export function exitOf({ rules }: Setup, { manifest }: Candidate): number {
  if (manifest.verification?.levels.some(({ verdict }) => verdict === 'failed') === true) return EXIT.failed;
  return unproven(manifest, rules) === null ? EXIT.ok : EXIT.unproven;
}
