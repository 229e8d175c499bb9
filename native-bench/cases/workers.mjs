import { availableParallelism } from 'node:os';
import { ethCall } from '../lib/calls.mjs';
import { tableOf } from '../lib/figures.mjs';
import { openRound } from '../lib/open.mjs';
import { haproxy, nginx } from '../peers.mjs';
import { onCpuUs, ownCpuUs } from '../procs.mjs';

export const about = 'one process against several, up to the processor cores: what a call costs more, as fast as it goes and at fixed rates; HAProxy and nginx beside it';

const CONNECTIONS = 64;
/** Part of what one worker can at most, for each: load and node still find a processor then. */
const SHARE = 0.15;
const SMOKE_RATE = 300;
/** Each process has to become quick by itself. */
const WARM_UP_S = 1.5;

const nameOf = (workers) => `${workers} ${workers === 1 ? 'worker' : 'workers'}`;
const keepAs = (bench, peer, workers) => (peer === null ? null : bench.keep({ ...peer, name: nameOf(workers) }));

/** As fast as it goes. `firstUs`: what the process that judges the nodes takes of a call's time. */
async function closed(bench, peers, title) {
  const call = ethCall();
  for (const peer of peers) {
    await bench.check(peer, call);
    if (!bench.isSmoke) await bench.wrkRound(peer, call, { connections: CONNECTIONS, isChecked: true, seconds: peer.adminPort === undefined ? 0.5 : WARM_UP_S * peer.workers });
  }
  const rounds = await bench.interleave(peers, async (peer) => {
    const beforeUs = ownCpuUs(peer.pid);
    const startMs = performance.now();
    const figures = await bench.wrkRound(peer, call, { connections: CONNECTIONS, isChecked: bench.isSmoke, seconds: bench.seconds(0.8) });
    const calls = (figures.callsPerS * (performance.now() - startMs)) / 1000;
    return peer.workers > 1 && peer.adminPort !== undefined ? { ...figures, firstUs: (ownCpuUs(peer.pid) - beforeUs) / calls } : figures;
  });
  for (const peer of peers) await bench.check(peer, call);
  return tableOf(`${title}, ${CONNECTIONS} connections`, rounds, nameOf(1));
}

/** Well below what they can. @param rateOf calls a second by workers */
async function fixed(bench, peers, title, rateOf) {
  const call = ethCall();
  const rounds = await bench.interleave(peers, async (peer) => {
    const rate = rateOf(peer.workers);
    const beforeUs = onCpuUs(peer.pid);
    const { answered, p50Us, p99Us } = await openRound(peer, call, { rate, seconds: bench.seconds(), connections: CONNECTIONS });
    bench.checked += answered;
    return { rate, usPerCall: (onCpuUs(peer.pid) - beforeUs) / answered, p50Us, p99Us };
  });
  return tableOf(title, rounds, nameOf(1));
}

export async function run(bench) {
  const node = await bench.stub();
  const cores = Math.max(2, availableParallelism());
  const counts = [1];
  while (counts.at(-1) * 2 <= cores) counts.push(counts.at(-1) * 2);
  const own = (engine, options) => (workers) => bench.tidegate(node, engine, { name: nameOf(workers), server: { workers }, ...options });
  const kinds = [
    { title: 'engine uws', start: own('uws'), isFixed: true, isApart: true },
    { title: 'HAProxy', start: async (workers) => keepAs(bench, await haproxy(node.port, { workers }), workers), isFixed: true },
    { title: 'nginx', start: async (workers) => keepAs(bench, await nginx(node.port, { workers }), workers), isFixed: true },
    { title: 'engine uws, from the cache', start: own('uws', { chain: {} }) },
    { title: 'engine node', start: own('node') },
  ];
  const tables = [];
  let rate = 0;
  for (const { title, start, isFixed, isApart } of bench.isSmoke ? kinds.slice(0, 2) : kinds) {
    const peers = [];
    for (const workers of counts) peers.push({ ...(await start(workers)), workers });
    if (peers[0].url === undefined) continue;
    const table = await closed(bench, peers, title);
    tables.push(table);
    if (rate === 0) rate = bench.isSmoke ? SMOKE_RATE : Math.round(SHARE * table.rows[nameOf(1)].figures.callsPerS.median);
    if (isFixed) tables.push(await fixed(bench, peers, `${title}, the same rate for each worker`, (workers) => rate * workers));
    if (isApart) tables.push(await fixed(bench, peers, `${title}, the same rate for all together`, () => rate * 2));
  }
  return tables;
}
