import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { ethCall } from '../lib/calls.mjs';
import { tableOf } from '../lib/figures.mjs';
import { openLoop } from '../lib/open.mjs';

export const about = 'the config is changed again and again under calls at a fixed rate: failed calls, and latency beside that of quiet times';

const RATE = 2000;
const SMOKE_RATE = 200;
const EVERY_MS = 250;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A reload changes what the config says of the node. @returns how many changes were taken over */
async function change(edge, forMs) {
  const config = JSON.parse(readFileSync(edge.configFile, 'utf8'));
  const [upstream] = config.chains[0].upstreams;
  const endMs = performance.now() + forMs;
  let changes = 0;
  while (performance.now() < endMs) {
    upstream.weight = 50 + (++changes % 2);
    upstream.batch = { maxCalls: 32 + (changes % 2) };
    writeFileSync(`${edge.configFile}.new`, JSON.stringify(config));
    renameSync(`${edge.configFile}.new`, edge.configFile);
    edge.child.kill('SIGHUP');
    await wait(EVERY_MS);
  }
  return changes;
}

async function round(bench, engine) {
  const node = await bench.stub();
  const edge = await bench.tidegate(node, engine);
  const call = ethCall();
  await bench.check(edge, call);
  const part = bench.seconds(1);
  const rate = bench.isSmoke ? SMOKE_RATE : RATE;
  const loop = openLoop(edge, call, { rate, seconds: 1 + 2 * part });
  await wait(1100);
  loop.phase();
  await wait(part * 1000);
  loop.phase();
  const reloads = await change(edge, part * 900);
  const { phases, faults } = await loop.done;
  const upstreams = await (await fetch(`http://127.0.0.1:${edge.adminPort}/api/v1/upstreams`)).json();
  const weight = upstreams[0].upstreams[0].configuredWeight;
  for (const peer of [edge, node]) await bench.drop(peer);
  const failed = phases.reduce((sum, phase) => sum + phase.failed, 0);
  if (failed > 0) throw new Error(`${failed} calls failed: ${faults.join(' | ')}`);
  if (weight !== 50 + (reloads % 2)) throw new Error(`the last change was not taken over: weight ${weight}`);
  bench.checked += phases.reduce((sum, phase) => sum + phase.answered, 0);
  const [, steady, busy] = phases;
  return { rate, reloads, failed, steadyP50Us: steady.p50Us, steadyP99Us: steady.p99Us, p50Us: busy.p50Us, p99Us: busy.p99Us, maxUs: busy.maxUs };
}

export async function run(bench) {
  const peers = bench.some(['uws', 'node']).map((engine) => ({ name: `tidegate-${engine}`, engine }));
  return [tableOf(`a change every ${EVERY_MS} ms`, await bench.interleave(peers, ({ engine }) => round(bench, engine)))];
}
