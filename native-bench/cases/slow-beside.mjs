import { ethCall, slowCall } from '../lib/calls.mjs';
import { tableOf } from '../lib/figures.mjs';
import { openRound } from '../lib/open.mjs';

export const about = 'quick calls at a fixed rate beside calls to the same node that take half a second each';

const RATE = 2000;
const SMOKE_RATE = 200;
const SLOW_PER_S = 4;
const PEERS = ['haproxy', 'nginx', 'tidegate-uws', 'tidegate-node'];

export async function run(bench) {
  const call = ethCall();
  const node = await bench.stub();
  const peers = await bench.peers(node, PEERS);
  const rate = bench.isSmoke ? SMOKE_RATE : RATE;
  for (const peer of peers) await bench.check(peer, call);
  const measure = async (peer, slowPerS, seconds = bench.seconds()) => {
    const slow = slowPerS === 0 ? null : openRound(peer, slowCall(), { rate: slowPerS, seconds, connections: 16 });
    const [{ answered, p50Us, p99Us, maxUs }, other] = await Promise.all([openRound(peer, call, { rate, seconds }), slow]);
    bench.checked += answered + (other?.answered ?? 0);
    return { p50Us, p99Us, maxUs };
  };
  if (!bench.isSmoke) for (const peer of peers) await measure(peer, SLOW_PER_S, 1);
  const tables = [];
  for (const slowPerS of [0, SLOW_PER_S]) {
    tables.push(tableOf(`${rate} quick calls and ${slowPerS} slow ones a second`, await bench.interleave(peers, (peer) => measure(peer, slowPerS)), 'haproxy'));
  }
  return tables;
}
