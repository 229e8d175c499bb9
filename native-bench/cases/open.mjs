import { ethCall } from '../lib/calls.mjs';
import { WARM_UP_S } from '../lib/bench.mjs';
import { tableOf } from '../lib/figures.mjs';
import { openRound } from '../lib/open.mjs';

export const about = 'pass-through at a fixed rate, 30 % of what HAProxy can at most: latency added to that of the stub alone';

const SHARE = 0.3;
const SMOKE_RATE = 500;

/** Calls per second of HAProxy, or of whom there is, with wrk as fast as it goes. */
async function saturation(bench, peers, call) {
  const rounds = [];
  for (let i = 0; i < 2; i++) rounds.push(await bench.wrkRound(peers[0], call, { connections: 64, seconds: 2 }));
  return Math.max(...rounds.map(({ callsPerS }) => callsPerS));
}

export async function run(bench) {
  const call = ethCall();
  const node = await bench.stub();
  const peers = await bench.peers(node, ['haproxy', 'nginx', 'tidegate-uws', 'tidegate-node', 'erpc', 'proxyd', 'nodecore']);
  const rate = bench.isSmoke ? SMOKE_RATE : Math.round(SHARE * (await saturation(bench, peers, call)));
  const measure = async (peer, seconds = bench.seconds(1.5)) => {
    const { answered, p50Us, p99Us, p999Us, maxUs, lateUs } = await openRound(peer, call, { rate, seconds });
    bench.checked += answered;
    return { rate, p50Us, p99Us, p999Us, maxUs, lateUs };
  };
  const all = [node, ...peers];
  if (!bench.isSmoke) {
    // a fresh process spends much of its time on compiling its own code
    for (const peer of peers) await bench.wrkRound(peer, call, { connections: 64, seconds: WARM_UP_S });
    for (const peer of all) await measure(peer, 1);
  }
  const rounds = await bench.interleave(all, (peer) => measure(peer));
  // what a proxy adds: its figure less that of the stub alone in the same round
  for (const { name } of peers) {
    rounds[name] = rounds[name].map((round, i) => ({ ...round, addedP50Us: round.p50Us - rounds.stub[i].p50Us, addedP99Us: round.p99Us - rounds.stub[i].p99Us }));
  }
  return [tableOf(`${rate} calls a second, 64 connections`, rounds, 'haproxy')];
}
