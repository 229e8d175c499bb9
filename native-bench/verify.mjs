// Measures the verification of snapshots: chunks in 1 and 2 threads against `openssl speed sha256`, headers, tries, proofs.
//   node native-bench/verify.mjs [--mib 512] [--rounds 5] [--dir DIR] [--out FILE]
// Other work on the machine only slows things down: the best round counts, and the processor time shows what a byte costs.
import { spawnSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createKeccak } from 'hash-wasm';
import { checkAccountProof } from '../dist/proof/account.js';
import { encodeHeader } from '../dist/proof/header.js';
import { dataBytes, toHex } from '../dist/proof/hex.js';
import { rlpNumber } from '../dist/proof/rlp.js';
import { listRoot } from '../dist/proof/trie.js';
import { capture } from '../dist/store/capture.js';
import { loadKey } from '../dist/store/keys.js';
import { placesInStore } from '../dist/store/sources.js';
import { SnapshotStore } from '../dist/store/store.js';
import { proveBlocks } from '../dist/verify/blocks.js';
import { hashChunks } from '../dist/verify/chunks.js';
import { VerifyPool } from '../dist/verify/pool.js';
import { verifySnapshot } from '../dist/verify/verify.js';

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '512' },
    rounds: { type: 'string', default: '5' },
    dir: { type: 'string', default: tmpdir() },
    out: { type: 'string', default: fileURLToPath(new URL('results/local-verify.json', import.meta.url)) },
  },
});
const MIB = 1 << 20;
const CHUNK = 4 * MIB;
const rounds = Number(values.rounds);
const noJournal = { top: () => undefined, add: () => undefined };
const hasher = await createKeccak(256);
const keccak = (bytes) => hasher.init().update(bytes).digest('binary');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Chunks in files of their own, as a store keeps them; text-like ones pack to about a third. */
function makeChunks(folder, count, isPacked) {
  const chunks = [];
  const random = Buffer.alloc(CHUNK);
  for (let i = 0; i < count; i++) {
    randomFillSync(random);
    const plain = isPacked ? Buffer.from(random.subarray(0, CHUNK / 8).toString('base64').repeat(8).slice(0, CHUNK)) : random;
    const stored = isPacked ? gzipSync(plain, { level: 1 }) : plain;
    const id = sha256(plain);
    writeFileSync(join(folder, id), stored);
    chunks.push({ id, sizeBytes: CHUNK, gzip: isPacked ? { sha256: sha256(stored), sizeBytes: stored.length } : null });
  }
  return { files: [{ path: 'data.sst', mode: 0o644, sizeBytes: count * CHUNK, kind: 'immutable', chunks }], proof: [] };
}

/** Delays of this thread's event loop beyond the resolution of the sampling. */
function watchLoop() {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  const beyond = (ns) => Math.max(0, ns / 1e6 - 1);
  return {
    end: () => {
      histogram.disable();
      return { p99Ms: beyond(histogram.percentile(99)), maxMs: beyond(histogram.max) };
    },
  };
}

/** A whole verification, to every level that its proof reaches, of a store with large and many small files: how the main thread fares. */
async function verifyWhole(pool, folder, headers) {
  const [data, proof, root] = ['data', 'proof', 'store'].map((name) => join(folder, name));
  for (const path of [data, proof]) mkdirSync(path);
  for (let i = 0; i < 16; i++) writeFileSync(join(data, `${i}.sst`), randomFillSync(Buffer.alloc(4 * CHUNK)));
  for (let i = 0; i < 64; i++) writeFileSync(join(data, `${i}.json`), JSON.stringify(Array.from({ length: 12_000 }, (_, n) => ({ address: `0x${'ab'.repeat(16)}`, n, i }))));
  writeFileSync(join(proof, 'blocks.ndjson'), headers.bytes);
  const key = await loadKey(join(folder, 'key'));
  const store = new SnapshotStore({ root, keys: () => [{ ...key, isRevoked: false }], nowMs: Date.now });
  const word = `0x${'1'.repeat(64)}`;
  const facts = { chain: { name: 'bench', family: 'evm', chainId: 1, genesisHash: word }, client: { kind: 'other', version: '1' }, head: { number: 1, hash: word, stateRoot: word, timestampS: 1 }, source: 'bench' };
  const { candidate } = await capture(store, { chain: 'bench', clientKind: 'other', directory: data, prove: async () => ({ facts, proofDirectory: proof }), kind: 'full', gzip: true, key, onProgress: () => {} });
  const loop = watchLoop();
  const start = performance.now();
  const { levels } = await verifySnapshot({ snapshot: candidate.manifest.snapshot, trust: null, pool, place: placesInStore(store.objects), read: (chunk) => store.objects.read(chunk), journal: noJournal, anchors: { checkpoints: [], peers: [] }, trialBoot: null, nowMs: Date.now, onProgress: () => {} });
  const seconds = (performance.now() - start) / 1000;
  if (levels[0].verdict !== 'proven') throw new Error(levels[0].why);
  return { seconds, ...loop.end() };
}

/** Bytes of plain data per second, by the clock and per second of processor time; and the longest pause of this thread. */
async function hashAll(pool, folder, snapshot) {
  const place = ({ chunk }) => ({ path: join(folder, chunk.id), offset: 0, storedBytes: chunk.gzip?.sizeBytes ?? chunk.sizeBytes, name: 'object' });
  const loop = watchLoop();
  const cpu = process.cpuUsage();
  const start = performance.now();
  const { bytes, problems } = await hashChunks(snapshot, { pool, place, journal: noJournal, onBytes: () => {} });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const pauseMs = loop.end().maxMs;
  if (problems.length > 0) throw new Error(problems[0]);
  return { mbPerS: bytes / 1e6 / seconds, mbPerCpuS: bytes / (user + system), pauseMs };
}

function opensslMbPerS() {
  const { stdout } = spawnSync('openssl', ['speed', '-elapsed', '-seconds', '1', '-bytes', String(CHUNK), '-evp', 'sha256'], { encoding: 'utf8' });
  const kilo = /sha256\s+([\d.]+)k/i.exec(stdout)?.[1];
  if (kilo === undefined) throw new Error(`openssl gave no figure: ${stdout}`);
  return Number(kilo) / 1000;
}

/** A chain of real-looking headers as captured. */
function headerFile(count) {
  const lines = gunzipSync(readFileSync(new URL('../test/fixtures/mainnet/blocks.ndjson.gz', import.meta.url))).toString().trimEnd().split('\n');
  const { transactions: _t, uncles: _u, withdrawals: _w, ...base } = JSON.parse(lines.at(-1)).block;
  let parentHash = base.parentHash;
  const texts = [];
  for (let i = 0; i < count; i++) {
    const header = { ...base, number: `0x${(1_000_000 + i).toString(16)}`, parentHash };
    header.hash = parentHash = toHex(keccak(encodeHeader(header)));
    texts.push(`${JSON.stringify({ block: header })}\n`);
  }
  const bytes = Buffer.from(texts.join(''));
  const chunks = [];
  for (let at = 0; at < bytes.length; at += CHUNK) chunks.push({ id: String(at), sizeBytes: Math.min(CHUNK, bytes.length - at), gzip: null });
  return { bytes, file: { path: 'blocks.ndjson', mode: 0o644, sizeBytes: bytes.length, kind: 'stream', chunks } };
}

async function headersPerS(pool, { bytes, file }, count) {
  const start = performance.now();
  const read = async ({ id, sizeBytes }) => bytes.subarray(Number(id), Number(id) + sizeBytes);
  const outcome = await proveBlocks(file, { pool, read, wanted: [], onHeaders: () => {} });
  if (outcome.faults.length > 0 || outcome.counts.headers !== count) throw new Error(JSON.stringify(outcome.faults[0]));
  return count / ((performance.now() - start) / 1000);
}

/** Runs something for half a second. @returns times per second */
function perSecond(run) {
  run();
  const start = performance.now();
  let times = 0;
  while (performance.now() - start < 500) {
    run();
    times++;
  }
  return times / ((performance.now() - start) / 1000);
}

function proofRun() {
  const lines = gunzipSync(readFileSync(new URL('../test/fixtures/mainnet/proofs.ndjson.gz', import.meta.url))).toString().trimEnd().split('\n');
  const samples = lines.map((line) => JSON.parse(line));
  const each = samples.reduce((sum, { proof }) => sum + 1 + proof.storageProof.length, 0);
  return { each, run: () => { for (const { stateRoot, proof } of samples) checkAccountProof(keccak, dataBytes(stateRoot, 'r', 32), proof); } };
}

async function mptTriesPerS(leaves) {
  const { createMPT } = await import('@ethereumjs/mpt');
  const start = performance.now();
  let times = 0;
  while (performance.now() - start < 1000) {
    const trie = await createMPT();
    for (const [i, leaf] of leaves.entries()) await trie.put(rlpNumber(i), leaf);
    times++;
  }
  return times / ((performance.now() - start) / 1000);
}

const best = (list, key) => Math.max(...list.map((one) => one[key]));

async function main() {
  const folder = mkdtempSync(join(values.dir, 'tidegate-bench-'));
  const pools = { 1: new VerifyPool(1), 2: new VerifyPool(2) };
  const loadBefore = loadavg();
  try {
    const raw = makeChunks(folder, Number(values.mib) / 4, false);
    const packed = makeChunks(folder, Math.max(8, Number(values.mib) / 16), true);
    const headers = headerFile(60_000);
    const found = { raw1: [], raw2: [], gzip1: [], gzip2: [], headers1: [], headers2: [], openssl: [] };
    for (let i = -1; i < rounds; i++) {
      // Interleaved, so that each sees the same neighbours; the first round only warms up.
      const round = { openssl: opensslMbPerS() };
      for (const threads of [1, 2]) {
        round[`raw${threads}`] = await hashAll(pools[threads], folder, raw);
        round[`gzip${threads}`] = await hashAll(pools[threads], folder, packed);
        round[`headers${threads}`] = await headersPerS(pools[threads], headers, 60_000);
      }
      if (i >= 0) for (const [name, figure] of Object.entries(round)) found[name].push(figure);
    }
    const leaves = Array.from({ length: 200 }, () => randomFillSync(new Uint8Array(300)));
    const proofs = proofRun();
    const wholes = [];
    for (let i = 0; i < 3; i++) {
      const own = mkdtempSync(join(folder, 'whole-'));
      wholes.push(await verifyWhole(pools[2], own, headers));
      rmSync(own, { recursive: true });
    }
    const whole = wholes.reduce((a, b) => (b.maxMs < a.maxMs ? b : a));
    const openssl = Math.max(...found.openssl);
    const results = {
      opensslMbPerS: openssl,
      ...Object.fromEntries(['raw1', 'raw2', 'gzip1', 'gzip2'].map((name) => [name, { mbPerS: best(found[name], 'mbPerS'), mbPerCpuS: best(found[name], 'mbPerCpuS'), pauseMs: Math.min(...found[name].map(({ pauseMs }) => pauseMs)) }])),
      headersPerS: { 1: Math.max(...found.headers1), 2: Math.max(...found.headers2) },
      triesOf200PerS: perSecond(() => listRoot(keccak, leaves)),
      mptTriesOf200PerS: await mptTriesPerS(leaves),
      proofsPerS: perSecond(proofs.run) * proofs.each,
      whole,
    };
    const share = (mb) => (mb / openssl).toFixed(2);
    process.stdout.write(`openssl sha256 (4 MiB pieces)   ${openssl.toFixed(0)} MB/s\n`);
    for (const [name, words] of [['raw1', 'raw chunks, 1 thread '], ['raw2', 'raw chunks, 2 threads'], ['gzip1', 'gzip, 1 thread       '], ['gzip2', 'gzip, 2 threads      ']]) {
      const { mbPerS, mbPerCpuS, pauseMs } = results[name];
      process.stdout.write(`${words}           ${mbPerS.toFixed(0)} MB/s (${share(mbPerS)} of openssl), ${mbPerCpuS.toFixed(0)} MB per second of processor time (${share(mbPerCpuS)}), scheduler paused ${pauseMs.toFixed(1)} ms at most in the quietest round\n`);
    }
    process.stdout.write(`2 threads to 1                  raw ${(results.raw2.mbPerS / results.raw1.mbPerS).toFixed(2)}, gzip ${(results.gzip2.mbPerS / results.gzip1.mbPerS).toFixed(2)}, headers ${(results.headersPerS[2] / results.headersPerS[1]).toFixed(2)}\n`);
    process.stdout.write(`headers                         ${results.headersPerS[1].toFixed(0)}/s, ${results.headersPerS[2].toFixed(0)}/s in 2 threads\n`);
    process.stdout.write(`tries of 200 leaves             ${results.triesOf200PerS.toFixed(0)}/s (@ethereumjs/mpt ${results.mptTriesOf200PerS.toFixed(0)}/s)\n`);
    process.stdout.write(`account and slot proofs         ${results.proofsPerS.toFixed(0)}/s\n`);
    process.stdout.write(`event loop in a whole verification  delayed ${whole.p99Ms.toFixed(1)} ms at the 99th percentile, ${whole.maxMs.toFixed(1)} ms at most, in ${whole.seconds.toFixed(1)} s, the quietest of 3\n`);
    const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, loadBefore, loadAfter: loadavg() };
    const commit = spawnSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).stdout.trim();
    mkdirSync(dirname(values.out), { recursive: true });
    writeFileSync(values.out, `${JSON.stringify({ case: 'verify', options: { mib: Number(values.mib), rounds }, machine, commit, results }, null, 1)}\n`);
  } finally {
    for (const pool of Object.values(pools)) await pool.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
