import { ethCall } from '../lib/calls.mjs';
import { tableOf } from '../lib/figures.mjs';
import { openLoop } from '../lib/open.mjs';
import { upstreamAt } from '../peers.mjs';

export const about = 'one of three nodes dies (SIGKILL) or hangs (SIGSTOP) under calls at a fixed rate: failed calls, and latency while it is found out';

const RATE = 2000;
const SMOKE_RATE = 200;
const TROUBLES = [['dies', 'SIGKILL'], ['hangs', 'SIGSTOP']];

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** The node that equal calls go to: trouble of any other would not be felt. */
async function servedBy(nodes, edge, call) {
  const answer = await fetch(edge.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: call.body(1) });
  await answer.arrayBuffer();
  const name = answer.headers.get('x-tidegate-upstream');
  const node = nodes.find((one) => one.name === name);
  if (node === undefined) throw new Error(`the call was answered by ${name}, which is no node here`);
  return node;
}

/** Three nodes behind one gateway; one of them gets into trouble half way. */
async function round(bench, engine, signal) {
  const nodes = [];
  for (const name of ['a', 'b', 'c']) nodes.push(await bench.stub({}, name));
  const upstreams = nodes.map(({ port, name }) => upstreamAt(port, name));
  const edge = await bench.tidegate(nodes[0], engine, { upstreams });
  const call = ethCall();
  await bench.check(edge, call);
  const part = bench.seconds(1);
  const rate = bench.isSmoke ? SMOKE_RATE : RATE;
  // one second first, so that what runs for the first time is not what is measured
  const loop = openLoop(edge, call, { rate, seconds: 1 + 2 * part });
  await wait(1.1);
  loop.phase();
  await wait(part);
  loop.phase();
  const { child } = await servedBy(nodes, edge, call);
  child.kill(signal);
  const { phases, faults } = await loop.done;
  const [, steady, trouble] = phases;
  await bench.check(edge, call);
  child.kill('SIGCONT');
  for (const peer of [edge, ...nodes]) await bench.drop(peer);
  const failed = phases.reduce((sum, phase) => sum + phase.failed, 0);
  if (failed > 0) throw new Error(`${failed} calls failed when a node ${signal === 'SIGKILL' ? 'died' : 'hung'}: ${faults.join(' | ')}`);
  bench.checked += phases.reduce((sum, phase) => sum + phase.answered, 0);
  return { rate, failed, steadyP50Us: steady.p50Us, steadyP99Us: steady.p99Us, p50Us: trouble.p50Us, p99Us: trouble.p99Us, maxUs: trouble.maxUs };
}

export async function run(bench) {
  const tables = [];
  for (const [what, signal] of TROUBLES) {
    const peers = bench.some(['uws', 'node']).map((engine) => ({ name: `tidegate-${engine}`, engine }));
    const rounds = await bench.interleave(peers, ({ engine }) => round(bench, engine, signal));
    tables.push(tableOf(`a node ${what}`, rounds));
  }
  return tables;
}
