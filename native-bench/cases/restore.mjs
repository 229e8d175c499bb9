import { tmpdir } from 'node:os';
import { tableOf } from '../lib/figures.mjs';
import { benchRestore } from '../restore.mjs';

export const about = 'restore of 1 GB by mount, reflink and copy, as far as the machine can';

const [MIB, SMOKE_MIB] = [1024, 128];
/** A copy writes all of it anew each time. */
const MOST_ROUNDS = 3;

export async function run(bench) {
  const mib = bench.isSmoke ? SMOKE_MIB : MIB;
  const { rows } = await benchRestore({ mib, rounds: Math.min(MOST_ROUNDS, bench.rounds), dir: tmpdir() });
  const done = rows.filter(({ rounds }) => rounds.length > 0);
  const failed = done.filter(({ why }) => why !== null);
  if (failed.length > 0) throw new Error(failed.map(({ place, way, why }) => `${place}, ${way}: ${why}`).join(' | '));
  bench.checked += done.reduce((sum, { rounds }) => sum + rounds.length, 0);
  return [tableOf(`${mib} MiB`, Object.fromEntries(done.map(({ place, way, rounds }) => [`${place}, ${way}`, rounds])), 'plain, copy')];
}
