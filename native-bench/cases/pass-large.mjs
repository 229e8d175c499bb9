import { ethCall } from '../lib/calls.mjs';

export const about = 'answers of 1 MB and 10 MB passed through';

const MB = 1e6;

export async function run(bench) {
  const tables = [];
  for (const megabytes of bench.some([1, 10])) {
    const node = await bench.stub({ resultBytes: megabytes * MB });
    const peers = await bench.peers(node, ['nginx', 'haproxy', 'tidegate-uws', 'tidegate-node']);
    tables.push(await bench.wrkTable({ title: `${megabytes} MB, 16 connections`, base: 'nginx', peers, call: ethCall(megabytes * MB), connections: 16 }));
  }
  return tables;
}
