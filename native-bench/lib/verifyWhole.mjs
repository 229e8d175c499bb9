// A whole verification, to every level that its proof reaches, of a store with large and many small files: how the main thread fares.
import { randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../../dist/store/capture.js';
import { loadKey } from '../../dist/store/keys.js';
import { placesInStore } from '../../dist/store/sources.js';
import { SnapshotStore } from '../../dist/store/store.js';
import { verifySnapshot } from '../../dist/verify/verify.js';
import { watchLoop } from './watchLoop.mjs';

const FILE_BYTES = 16 << 20;
const [SMALL_FILES, SMALL_ROWS] = [64, 12_000];
const noJournal = { top: () => undefined, add: () => undefined };

/** Takes a snapshot of files made here. @returns the store and the candidate */
async function captured(folder, headers, largeFiles) {
  const [data, proof, root] = ['data', 'proof', 'store'].map((name) => join(folder, name));
  for (const path of [data, proof]) mkdirSync(path);
  for (let i = 0; i < largeFiles; i++) writeFileSync(join(data, `${i}.sst`), randomFillSync(Buffer.alloc(FILE_BYTES)));
  for (let i = 0; i < SMALL_FILES; i++) writeFileSync(join(data, `${i}.json`), JSON.stringify(Array.from({ length: SMALL_ROWS }, (_, n) => ({ address: `0x${'ab'.repeat(16)}`, n, i }))));
  writeFileSync(join(proof, 'blocks.ndjson'), headers.bytes);
  const key = await loadKey(join(folder, 'key'));
  const store = new SnapshotStore({ root, keys: () => [{ ...key, isRevoked: false }], nowMs: Date.now });
  const word = `0x${'1'.repeat(64)}`;
  const facts = { chain: { name: 'bench', family: 'evm', chainId: 1, genesisHash: word }, client: { kind: 'other', version: '1' }, head: { number: 1, hash: word, stateRoot: word, timestampS: 1 }, source: 'bench' };
  const { candidate } = await capture(store, { chain: 'bench', clientKind: 'other', directory: data, prove: async () => ({ facts, proofDirectory: proof }), kind: 'full', gzip: true, key, onProgress: () => {} });
  return { store, candidate };
}

/** @returns seconds, and delays of this thread's event loop meanwhile @throws when the data is not proven */
export async function verifyWhole(pool, folder, headers, largeFiles) {
  const own = mkdtempSync(join(folder, 'whole-'));
  try {
    const { store, candidate } = await captured(own, headers, largeFiles);
    const loop = watchLoop();
    const start = performance.now();
    const { levels } = await verifySnapshot({ snapshot: candidate.manifest.snapshot, trust: null, pool, place: placesInStore(store.objects), read: (chunk) => store.objects.read(chunk), journal: noJournal, anchors: { checkpoints: [], peers: [] }, trialBoot: null, nowMs: Date.now, onProgress: () => {} });
    const seconds = (performance.now() - start) / 1000;
    if (levels[0].verdict !== 'proven') throw new Error(levels[0].why);
    return { seconds, ...loop.end() };
  } finally {
    rmSync(own, { recursive: true });
  }
}
