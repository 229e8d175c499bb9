// The work of verifying snapshots, each piece as the product does it.
import { spawnSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createKeccak } from 'hash-wasm';
import { checkAccountProof } from '../../dist/proof/account.js';
import { encodeHeader } from '../../dist/proof/header.js';
import { dataBytes, toHex } from '../../dist/proof/hex.js';
import { rlpNumber } from '../../dist/proof/rlp.js';
import { listRoot } from '../../dist/proof/trie.js';
import { proveBlocks } from '../../dist/verify/blocks.js';
import { hashChunks } from '../../dist/verify/chunks.js';
import { watchLoop } from './watchLoop.mjs';

const MIB = 1 << 20;
const CHUNK = 4 * MIB;
const LEAVES = 200;
const FOR_MS = 500;
const noJournal = { top: () => undefined, add: () => undefined };
const hasher = await createKeccak(256);
const keccak = (bytes) => hasher.init().update(bytes).digest('binary');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** `count` chunks out of `files` files, as a store keeps them, each file again and again; text-like ones pack to about a third. */
export function makeChunks(folder, { count, files, isPacked }) {
  const made = [];
  const random = Buffer.alloc(CHUNK);
  for (let i = 0; i < files; i++) {
    randomFillSync(random);
    const plain = isPacked ? Buffer.from(random.subarray(0, CHUNK / 8).toString('base64').repeat(8).slice(0, CHUNK)) : random;
    const stored = isPacked ? gzipSync(plain, { level: 1 }) : plain;
    const id = sha256(plain);
    writeFileSync(join(folder, id), stored);
    made.push({ id, sizeBytes: CHUNK, gzip: isPacked ? { sha256: sha256(stored), sizeBytes: stored.length } : null });
  }
  const chunks = Array.from({ length: count }, (_, i) => made[i % files]);
  return { files: [{ path: 'data.sst', mode: 0o644, sizeBytes: count * CHUNK, kind: 'immutable', chunks }], proof: [] };
}

/** Bytes of plain data per second, by the clock and per second of processor time; and the longest pause of this thread. */
export async function hashAll(pool, folder, snapshot) {
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

export function opensslMbPerS() {
  const { stdout } = spawnSync('openssl', ['speed', '-elapsed', '-seconds', '1', '-bytes', String(CHUNK), '-evp', 'sha256'], { encoding: 'utf8' });
  const kilo = /sha256\s+([\d.]+)k/i.exec(stdout)?.[1];
  if (kilo === undefined) throw new Error(`openssl gave no figure: ${stdout}`);
  return Number(kilo) / 1000;
}

/** A chain of real-looking headers as captured. */
export function headerFile(count) {
  const lines = gunzipSync(readFileSync(new URL('../../test/fixtures/mainnet/blocks.ndjson.gz', import.meta.url))).toString().trimEnd().split('\n');
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

export async function headersPerS(pool, { bytes, file }, count) {
  const start = performance.now();
  const read = async ({ id, sizeBytes }) => bytes.subarray(Number(id), Number(id) + sizeBytes);
  const outcome = await proveBlocks(file, { pool, read, wanted: [], statusFromBlock: 0, onHeaders: () => {} });
  if (outcome.faults.length > 0 || outcome.counts.headers !== count) throw new Error(JSON.stringify(outcome.faults[0]));
  return count / ((performance.now() - start) / 1000);
}

/** Runs something for half a second. @returns times per second */
function perSecond(work) {
  work();
  const start = performance.now();
  let times = 0;
  while (performance.now() - start < FOR_MS) {
    work();
    times++;
  }
  return times / ((performance.now() - start) / 1000);
}

/** Accounts and slots of captured proofs, checked against their state roots. */
export function proofsPerS() {
  const lines = gunzipSync(readFileSync(new URL('../../test/fixtures/mainnet/proofs.ndjson.gz', import.meta.url))).toString().trimEnd().split('\n');
  const samples = lines.map((line) => JSON.parse(line));
  const each = samples.reduce((sum, { proof }) => sum + 1 + proof.storageProof.length, 0);
  const checkAll = () => {
    for (const { stateRoot, proof } of samples) checkAccountProof(keccak, dataBytes(stateRoot, 'r', 32), proof);
  };
  return perSecond(checkAll) * each;
}

const leavesOf = () => Array.from({ length: LEAVES }, () => randomFillSync(new Uint8Array(300)));

async function mptRoot(createMPT, leaves) {
  const trie = await createMPT();
  for (const [i, leaf] of leaves.entries()) await trie.put(rlpNumber(i), leaf);
  return trie.root();
}

/** Tries of 200 leaves per second, by our own and by @ethereumjs/mpt. @throws when they do not come to the same root */
export async function triesPerS() {
  const { createMPT } = await import('@ethereumjs/mpt');
  const leaves = leavesOf();
  const root = listRoot(keccak, leaves);
  const own = perSecond(() => listRoot(keccak, leaves));
  const start = performance.now();
  let times = 0;
  for (; performance.now() - start < FOR_MS; times++) {
    if (toHex(await mptRoot(createMPT, leaves)) !== toHex(root)) throw new Error('two roots of the same leaves');
  }
  return { own, mpt: times / ((performance.now() - start) / 1000) };
}
