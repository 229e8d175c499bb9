import { ethCall } from '../lib/calls.mjs';

export const about = 'a new connection for every call';

export async function run(bench) {
  const node = await bench.stub();
  const peers = await bench.peers(node, ['haproxy', 'nginx', 'tidegate-uws', 'tidegate-node']);
  return [await bench.wrkTable({ title: '64 clients', base: 'haproxy', peers, call: ethCall(), connections: 64, headers: { connection: 'close' } })];
}
