import { expect, it } from 'vitest';
import { SimCluster } from './cluster.ts';
import type { Ill } from './node.ts';

/** Plays known troubles on three nodes and keeps what the controller did, line by line, for people to read. */
function play(told: readonly [number, number, Ill][], seconds: number, before: (cluster: SimCluster) => void = () => undefined): SimCluster {
  const cluster = new SimCluster(1, { nodes: 3, quiet: true });
  before(cluster);
  for (let second = 0; second < seconds; second++) {
    for (const [at, index, ill] of told) {
      const node = cluster.nodes[index];
      if (at !== second || node === undefined) continue;
      cluster.note(`! ${node.name}: ${ill}`);
      node.befall(ill, cluster.nowMs, () => 0.5);
    }
    cluster.second();
  }
  expect(cluster.faults).toEqual([]);
  return cluster;
}

const KNOWN: readonly [string, readonly [number, number, Ill][], number][] = [
  ['killed', [[5, 0, 'kill']], 90],
  ['hangs', [[5, 0, 'hang']], 120],
  ['two-killed-together', [[5, 0, 'kill'], [5, 1, 'kill']], 120],
  ['all-killed', [[5, 0, 'kill'], [5, 1, 'kill'], [5, 2, 'kill']], 120],
  ['bad-config', [[5, 0, 'badConfig']], 300],
  ['port-taken-for-a-while', [[5, 0, 'portTaken']], 200],
  ['disk-full', [[5, 0, 'diskFull']], 120],
  ['stalls', [[5, 0, 'stallRun']], 150],
  ['wrong-branch', [[5, 0, 'badBranch']], 300],
  ['damaged-data', [[5, 0, 'corrupt'], [6, 0, 'kill']], 300],
];

it.each(KNOWN)('%s', async (name, told, seconds) => {
  const { trace } = play(told, seconds);
  await expect(`${trace.join('\n')}\n`).toMatchFileSnapshot(`traces/${name}.txt`);
});

it('a snapshot that is no better: the old data is put back, and a human is called in the end', async () => {
  const { trace, nodes } = play([[5, 0, 'corrupt'], [6, 0, 'kill']], 900, (one) => {
    const [node] = one.nodes;
    if (node !== undefined) node.badSnapshot = true;
  });
  expect(nodes[0]).toMatchObject({ swapped: null, cordoned: true, run: null });
  await expect(`${trace.join('\n')}\n`).toMatchFileSnapshot('traces/bad-snapshot.txt');
});

it('the gateway cannot be asked while the only node comes back: its cordon is taken back when it can', async () => {
  const cluster = new SimCluster(1, { nodes: 1, quiet: true });
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('no node');
  const pass = (seconds: number): void => {
    for (let i = 0; i < seconds; i++) cluster.second();
  };
  node.wish = 'stopped';
  pass(10);
  node.wish = 'running';
  cluster.hideEdge(30_000);
  pass(29);
  expect(node).toMatchObject({ cordoned: true });
  expect(cluster.memories.get('n0')?.operation?.kind).toBe('start');
  pass(30);
  cluster.conclude();
  expect(cluster.faults).toEqual([]);
  await expect(`${cluster.trace.join('\n')}\n`).toMatchFileSnapshot('traces/gateway-away-on-the-way-back.txt');
});

it('an uncordon that is decided and never taken: the cordon stays the controller\'s own, and goes in the end', async () => {
  const cluster = play([[5, 0, 'kill'], [18, 0, 'kill']], 90, (one) => one.dieBefore('uncordon'));
  cluster.conclude();
  expect(cluster.faults).toEqual([]);
  await expect(`${cluster.trace.join('\n')}\n`).toMatchFileSnapshot('traces/uncordon-lost.txt');
});

it('a halted chain: nothing is touched, and it says why', () => {
  const cluster = play([], 300, (one) => one.halt(300_000));
  expect(cluster.trace).toEqual([]);
  expect(cluster.nodes.every((node) => node.serves)).toBe(true);
});

it('a node that recovers before it is stopped is left alone', () => {
  const cluster = new SimCluster(1, { nodes: 3, quiet: true });
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('no node');
  node.hangs = true;
  while (!cluster.trace.some((line) => line.includes('n0: cordon'))) cluster.second();
  node.hangs = false;
  node.inFlight = 100;
  for (let i = 0; i < 30; i++) cluster.second();
  expect(cluster.trace.filter((line) => line.includes('n0: stop'))).toEqual([]);
  expect(node.serves).toBe(true);
  expect(cluster.faults).toEqual([]);
});

it('a paused node is left alone', () => {
  const cluster = new SimCluster(1, { nodes: 3, quiet: true });
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('no node');
  node.paused = true;
  node.end(cluster.nowMs, 'SIGKILL');
  for (let i = 0; i < 100; i++) cluster.second();
  expect(cluster.trace).toEqual([]);
  expect(node.run).toBeNull();
});
