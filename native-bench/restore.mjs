// Measures how long a restore takes by mount, reflink and copy: staged, swapped in and ready for a start, on file systems of
// their own (loop mounts; needs root and mkfs.btrfs or mkfs.xfs; the mount and a copy are measured without them too).
//   node native-bench/restore.mjs [--mib 1024] [--rounds 3] [--dir DIR] [--out FILE]
// Other work on the machine only slows things down: the best round counts, all rounds are written.
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { capture } from '../dist/store/capture.js';
import { discardData, readyData, swapData } from '../dist/store/dataSwap.js';
import { loadKey } from '../dist/store/keys.js';
import { unmountLayer } from '../dist/store/layer.js';
import { stageData } from '../dist/store/staging.js';
import { SnapshotStore } from '../dist/store/store.js';

const MIB = 1 << 20;
const FILE_MIB = 64;
const word = `0x${'1'.repeat(64)}`;
const PATHS = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

/** Runs `work` in a file system of a kind, or in a plain folder; null where the machine cannot make it. */
async function on(kind, { dir, mib }, work) {
  const root = mkdtempSync(join(dir, `tidegate-restore-${kind}-`));
  const [image, disk] = [join(root, 'image'), join(root, 'disk')];
  mkdirSync(disk);
  let isMounted = false;
  try {
    if (kind !== 'plain') {
      execFileSync('truncate', ['-s', `${4 * mib + 1024}M`, image]);
      execFileSync(`mkfs.${kind}`, ['-q', image], { env: PATHS, stdio: 'ignore' });
      execFileSync('mount', ['-o', 'loop', image, disk], { env: PATHS, stdio: 'ignore' });
      isMounted = true;
    }
    return await work(disk);
  } catch (error) {
    if (isMounted || kind === 'plain') throw error;
    return null;
  } finally {
    if (isMounted) execFileSync('umount', [disk], { env: PATHS });
    rmSync(root, { recursive: true, force: true });
  }
}

/** A store in a folder with one snapshot of `mib` MiB, and its tree. */
async function storeIn(root, mib) {
  const data = join(root, 'source');
  mkdirSync(data);
  const bytes = Buffer.alloc(FILE_MIB * MIB);
  for (let i = 0; i * FILE_MIB < mib; i++) writeFileSync(join(data, `${i}.sst`), randomFillSync(bytes));
  const key = await loadKey(join(root, 'key'));
  const store = new SnapshotStore({ root: join(root, 'store'), keys: () => [{ ...key, isRevoked: false }], nowMs: () => Date.now() });
  const facts = { chain: { name: 'bench', family: 'evm', chainId: 1, genesisHash: word }, client: { kind: 'geth', version: '1' }, head: { number: 1, hash: word, stateRoot: word, timestampS: 1 }, source: 'bench' };
  const { candidate } = await capture(store, { chain: 'bench', clientKind: 'geth', directory: data, prove: () => Promise.resolve({ facts, proofDirectory: null }), kind: 'full', gzip: false, key, onProgress: () => undefined });
  rmSync(data, { recursive: true });
  await store.trees.build(candidate, () => undefined);
  return { store, candidate };
}

/** One restore in place of a small old directory: time by the clock and of the processor. */
async function once({ store, candidate }, root, method) {
  const dataDir = join(root, 'node', 'data');
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(join(dataDir, 'old'), 'x');
  const operation = `restore-bench-${Date.now()}`;
  const beganMs = performance.now();
  const cpu = process.cpuUsage();
  await stageData(store, { candidate, dataDir, operation, node: 'bench', method });
  await swapData(dataDir, { operation, from: 'snapshot', clientKind: 'geth' });
  await readyData(dataDir);
  const [ms, { user, system }] = [performance.now() - beganMs, process.cpuUsage(cpu)];
  await discardData(dataDir);
  await unmountLayer(dataDir);
  rmSync(dataDir, { recursive: true, force: true });
  return { ms, cpuMs: (user + system) / 1000 };
}

const PLACES = [
  ['plain', ['mount', 'copy']],
  ['btrfs', ['reflink', 'copy']],
  ['xfs', ['reflink', 'mount', 'copy']],
];

/**
 * @param {{ mib: number, rounds: number, dir: string }} options size of the snapshot, rounds per way, where the files lie
 * @returns rows: where, by which way, every round and the best; `rounds` null where the machine cannot
 */
export async function benchRestore({ mib, rounds, dir }) {
  const rows = [];
  for (const [place, ways] of PLACES) {
    const made = await on(place, { dir, mib }, async (root) => {
      const stored = await storeIn(root, mib);
      const found = [];
      for (const way of ways) {
        const all = [];
        let why = null;
        for (let i = 0; i < rounds && why === null; i++) {
          try {
            all.push(await once(stored, root, way));
          } catch (error) {
            why = error.message;
          }
        }
        const best = all.toSorted((a, b) => a.ms - b.ms)[0] ?? null;
        found.push({ place, way, best, rounds: all, why });
      }
      return found;
    });
    rows.push(...(made ?? ways.map((way) => ({ place, way, best: null, rounds: [], why: `${place} cannot be made here` }))));
  }
  return { mib, load: loadavg(), cpu: cpus()[0]?.model ?? '', node: process.version, rows };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      mib: { type: 'string', default: '1024' },
      rounds: { type: 'string', default: '3' },
      dir: { type: 'string', default: tmpdir() },
      out: { type: 'string', default: fileURLToPath(new URL('results/local-restore.json', import.meta.url)) },
    },
  });
  const result = await benchRestore({ mib: Number(values.mib), rounds: Number(values.rounds), dir: values.dir });
  for (const { place, way, best, why } of result.rows) console.log(`${place.padEnd(6)} ${way.padEnd(8)} ${best === null ? why : `${best.ms.toFixed(0)} ms, processor ${best.cpuMs.toFixed(0)} ms`}`);
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify(result, null, 1)}\n`);
}
