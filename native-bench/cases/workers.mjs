import { availableParallelism } from 'node:os';
import { ethCall } from '../lib/calls.mjs';

export const about = 'one process against several, up to the processor cores: what a call costs more';

export async function run(bench) {
  const call = ethCall();
  const node = await bench.stub();
  const cores = Math.max(2, availableParallelism());
  const counts = [1];
  while (counts.at(-1) * 2 <= cores) counts.push(counts.at(-1) * 2);
  const tables = [];
  for (const engine of bench.some(['uws', 'node'])) {
    const peers = [];
    for (const workers of counts) peers.push(await bench.tidegate(node, engine, { name: `${workers} ${workers === 1 ? 'worker' : 'workers'}`, server: { workers } }));
    const table = await bench.wrkTable({ title: `engine ${engine}, 64 connections`, base: '1 worker', peers, call, connections: 64 });
    tables.push(table);
    for (const peer of peers) await bench.drop(peer);
  }
  const hits = [];
  for (const workers of counts) hits.push(await bench.tidegate(node, 'uws', { name: `${workers} ${workers === 1 ? 'worker' : 'workers'}`, server: { workers }, chain: {} }));
  if (!bench.isSmoke) tables.push(await bench.wrkTable({ title: 'engine uws, from the cache, 64 connections', base: '1 worker', peers: hits, call, connections: 64 }));
  return tables;
}
