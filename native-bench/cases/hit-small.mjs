import { ethCall } from '../lib/calls.mjs';
import { checkHits } from '../lib/hits.mjs';

export const about = 'a small answer from the cache, against nginx proxy_cache by POST body and raw uWebSockets.js';

export async function run(bench) {
  const node = await bench.stub();
  const peers = await bench.peers(node, ['nginx-cache', 'uws-raw', 'tidegate-uws', 'tidegate-node'], { tidegate: { chain: {} } });
  const table = await bench.wrkTable({ title: '64 connections', base: 'nginx-cache', peers, call: ethCall(), connections: 64 });
  await checkHits(bench, peers, ethCall());
  return [table];
}
