import { ethCall } from '../lib/calls.mjs';
import { tableOf } from '../lib/figures.mjs';
import { socketLoop } from '../lib/sockets.mjs';
import { cpuUs } from '../procs.mjs';

export const about = 'calls over WebSocket, one under way on each of 64 connections; HAProxy and nginx only pass bytes';

export async function run(bench) {
  const call = ethCall();
  const node = await bench.stub();
  const peers = await bench.peers(node, ['haproxy', 'uws-raw', 'tidegate-uws', 'tidegate-node']);
  peers.push(await bench.tidegate(node, 'uws', { name: 'tidegate-hit', chain: {} }));
  peers.push(await bench.tidegate(node, 'uws', { name: 'tidegate-ws-node', upstream: { transport: 'ws' } }));
  const measure = async (peer, seconds = bench.seconds()) => {
    const before = cpuUs(peer.pid);
    const { answered, durationUs, p50Us, p99Us } = await socketLoop(peer, call, { connections: 64, seconds });
    bench.checked += answered;
    return { callsPerS: answered / (durationUs / 1e6), usPerCall: (cpuUs(peer.pid) - before) / answered, p50Us, p99Us };
  };
  if (!bench.isSmoke) for (const peer of peers) await measure(peer, 1);
  return [tableOf('64 connections', await bench.interleave(peers, (peer) => measure(peer)), 'haproxy')];
}
