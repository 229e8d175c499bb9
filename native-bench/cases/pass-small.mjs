import { ethCall } from '../lib/calls.mjs';

export const about = 'a 230-byte eth_call passed through to a stub node, over several numbers of connections';

const PEERS = ['haproxy', 'nginx', 'tidegate-uws', 'tidegate-node', 'erpc', 'proxyd', 'nodecore'];
/** Processor time of the stub for a call, batched or not. */
const COST_US = 5;

export async function run(bench) {
  const tables = [];
  const node = await bench.stub();
  const peers = await bench.peers(node, PEERS);
  for (const connections of bench.some([64, 16, 256])) {
    tables.push(await bench.wrkTable({ title: `${connections} connections`, base: 'haproxy', peers, call: ethCall(), connections }));
  }
  if (bench.isSmoke) return tables;
  const costly = await bench.stub({ costUs: COST_US });
  const before = await bench.peers(costly, PEERS.slice(0, 4));
  tables.push(await bench.wrkTable({ title: `64 connections, ${COST_US} µs of the node a call`, base: 'haproxy', peers: before, call: ethCall(), connections: 64 }));
  return tables;
}
