import { ethCall } from '../lib/calls.mjs';
import { checkHits } from '../lib/hits.mjs';

export const about = 'an answer of 100 kB from the cache, against nginx proxy_cache by POST body and raw uWebSockets.js';

const RESULT_BYTES = 100_000;

export async function run(bench) {
  const node = await bench.stub({ resultBytes: RESULT_BYTES });
  const call = ethCall(RESULT_BYTES);
  const peers = await bench.peers(node, ['nginx-cache', 'uws-raw', 'tidegate-uws', 'tidegate-node'], { tidegate: { chain: {} }, resultBytes: RESULT_BYTES });
  const table = await bench.wrkTable({ title: '64 connections', base: 'nginx-cache', peers, call, connections: 64 });
  await checkHits(bench, peers, call);
  return [table];
}
