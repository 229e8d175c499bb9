import { availableParallelism } from 'node:os';
import { ethCall } from '../lib/calls.mjs';
import { tableOf } from '../lib/figures.mjs';
import { ownCpuUs } from '../procs.mjs';

export const about = 'one process against several, up to the processor cores: what a call costs more';

const nameOf = (workers) => `${workers} ${workers === 1 ? 'worker' : 'workers'}`;

/** One kind of gateway with each number of workers. `firstUs`: what the process that judges the nodes takes of a call's time. */
async function table(bench, node, { title, engine, chain, counts }) {
  const call = ethCall();
  const peers = [];
  for (const workers of counts) peers.push({ ...(await bench.tidegate(node, engine, { name: nameOf(workers), server: { workers }, ...chain })), workers });
  for (const peer of peers) {
    await bench.check(peer, call);
    if (!bench.isSmoke) await bench.wrkRound(peer, call, { connections: 64, isChecked: true, seconds: 1 });
  }
  const rounds = await bench.interleave(peers, async (peer) => {
    const beforeUs = ownCpuUs(peer.pid);
    const startMs = performance.now();
    const figures = await bench.wrkRound(peer, call, { connections: 64, isChecked: bench.isSmoke });
    const calls = (figures.callsPerS * (performance.now() - startMs)) / 1000;
    return peer.workers === 1 ? figures : { ...figures, firstUs: (ownCpuUs(peer.pid) - beforeUs) / calls };
  });
  for (const peer of peers) await bench.check(peer, call);
  return tableOf(title, rounds, nameOf(1));
}

export async function run(bench) {
  const node = await bench.stub();
  const cores = Math.max(2, availableParallelism());
  const counts = [1];
  while (counts.at(-1) * 2 <= cores) counts.push(counts.at(-1) * 2);
  const kinds = [
    { title: 'engine uws, 64 connections', engine: 'uws', counts },
    { title: 'engine uws, from the cache, 64 connections', engine: 'uws', chain: { chain: {} }, counts },
    { title: 'engine node, 64 connections', engine: 'node', counts },
  ];
  const tables = [];
  for (const kind of bench.some(kinds)) tables.push(await table(bench, node, kind));
  return tables;
}
