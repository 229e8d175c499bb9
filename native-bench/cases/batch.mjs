import { batchCall } from '../lib/calls.mjs';

export const about = 'batches of 10 and 100 different calls, to a node that takes 2 µs a call, and from the cache';

const COST_US = 2;

export async function run(bench) {
  const tables = [];
  const node = await bench.stub({ costUs: COST_US });
  const peers = await bench.peers(node, ['haproxy', 'nginx', 'tidegate-uws', 'tidegate-node', 'erpc', 'proxyd', 'nodecore']);
  const hit = await bench.tidegate(node, 'uws', { name: 'tidegate-hit', chain: {} });
  for (const size of bench.some([10, 100])) {
    tables.push(await bench.wrkTable({ title: `batches of ${size}, 16 connections`, base: 'haproxy', peers: [...peers, hit], call: batchCall(size), connections: 16, seconds: bench.seconds(0.6) }));
  }
  return tables;
}
