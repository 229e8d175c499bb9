import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableOf } from '../lib/figures.mjs';
import { hashAll, headerFile, headersPerS, makeChunks, opensslMbPerS, proofsPerS, triesPerS } from '../lib/verifyWork.mjs';
import { verifyWhole } from '../lib/verifyWhole.mjs';
import { VerifyPool } from '../../dist/verify/pool.js';

export const about = 'verification of snapshots: chunks in 1 and 2 threads against openssl, headers, tries, proofs, and delays of the event loop in a whole one';

/** Files of 16 MiB in a whole verification. */
const LARGE_FILES = 8;
/** Chunks of 4 MiB, out of as many files as stay in memory: enough for half a second of every thread. */
const RAW = { count: 384, files: 64, isPacked: false };
const PACKED = { count: 96, files: 16, isPacked: true };
const SMOKE = { count: 4, files: 4 };
const [HEADERS, SMOKE_HEADERS] = [30_000, 500];

async function chunkTables(bench, folder, pools) {
  const [raw, packed] = [RAW, PACKED].map((what) => makeChunks(folder, bench.isSmoke ? { ...what, ...SMOKE } : what));
  const works = [
    { name: 'openssl', work: () => ({ mbPerS: opensslMbPerS() }) },
    { name: 'raw, 1 thread', work: () => hashAll(pools[1], folder, raw) },
    { name: 'raw, 2 threads', work: () => hashAll(pools[2], folder, raw) },
    { name: 'gzip, 1 thread', work: () => hashAll(pools[1], folder, packed) },
    { name: 'gzip, 2 threads', work: () => hashAll(pools[2], folder, packed) },
  ];
  for (const { work } of works.slice(1)) await work();
  bench.checked += raw.files[0].chunks.length + packed.files[0].chunks.length;
  return tableOf('chunks of 4 MiB', await bench.interleave(works, ({ work }) => work()), 'openssl');
}

async function countTable(bench, pools) {
  const count = bench.isSmoke ? SMOKE_HEADERS : HEADERS;
  const headers = headerFile(count);
  const works = [
    { name: 'headers, 1 thread', work: () => headersPerS(pools[1], headers, count) },
    { name: 'headers, 2 threads', work: () => headersPerS(pools[2], headers, count) },
    { name: 'account and slot proofs', work: proofsPerS },
  ];
  const rounds = await bench.interleave(works, async ({ work }) => ({ perS: await work() }));
  const tries = await bench.interleave([{ name: 'tries' }], triesPerS);
  rounds['tries of 200 leaves'] = tries.tries.map(({ own }) => ({ perS: own }));
  rounds['the same, @ethereumjs/mpt'] = tries.tries.map(({ mpt }) => ({ perS: mpt }));
  bench.checked += count;
  return tableOf('things a second', rounds, null);
}

async function wholeTable(bench, folder, pools) {
  const headers = headerFile(bench.isSmoke ? SMOKE_HEADERS : HEADERS);
  const rounds = await bench.interleave([{ name: '2 threads' }], () => verifyWhole(pools[2], folder, headers, bench.isSmoke ? 1 : LARGE_FILES));
  bench.checked++;
  return tableOf('a whole verification', rounds, null);
}

export async function run(bench) {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
  const pools = { 1: new VerifyPool(1), 2: new VerifyPool(2) };
  try {
    return [await chunkTables(bench, folder, pools), await countTable(bench, pools), await wholeTable(bench, folder, pools)];
  } finally {
    for (const pool of Object.values(pools)) await pool.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
