import { ethCall } from '../lib/calls.mjs';
import { tableOf } from '../lib/figures.mjs';
import { mostMemory } from '../lib/meter.mjs';
import { slowReaders } from '../lib/slowReaders.mjs';
import { rssKib } from '../procs.mjs';

export const about = 'answers of 1 MB and 10 MB passed through, and the memory that 32 slow readers of 10 MB take';

const MB = 1e6;
const PEERS = ['nginx', 'haproxy', 'tidegate-uws', 'tidegate-node'];

/** Resident memory above what was there before, while slow readers take answers of 10 MB. */
async function slowTable(bench, peers, call) {
  const readers = bench.isSmoke ? 4 : 32;
  const rounds = await bench.interleave(peers, async (peer) => {
    const beforeMib = rssKib(peer.pid) / 1024;
    const { mostMib, told } = await mostMemory(peer.pid, () => slowReaders(peer, call, readers));
    bench.checked += told.length;
    return { beforeMib, mostMib, growthMib: Math.max(0, mostMib - beforeMib), answersMib: told.reduce((sum, size) => sum + size, 0) / 2 ** 20 };
  });
  return tableOf(`10 MB, ${readers} slow readers`, rounds, null);
}

export async function run(bench) {
  const tables = [];
  for (const [megabytes, connections] of [[10, 4], [1, 16]]) {
    const node = await bench.stub({ resultBytes: megabytes * MB });
    const peers = await bench.peers(node, PEERS);
    const call = ethCall(megabytes * MB);
    for (const peer of peers) await bench.check(peer, call);
    // before anything else has made the process grow
    if (megabytes === 10) tables.push(await slowTable(bench, peers, call));
    if (!bench.isSmoke || megabytes === 1) tables.push(await bench.wrkTable({ title: `${megabytes} MB, ${connections} connections`, base: 'nginx', peers, call, connections, seconds: bench.seconds(megabytes === 10 ? 2 : 1) }));
  }
  return tables;
}
