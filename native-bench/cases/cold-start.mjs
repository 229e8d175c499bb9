import { ethCall } from '../lib/calls.mjs';
import { tableOf } from '../lib/figures.mjs';

export const about = 'from the start of the program to its first right answer';

const STARTS = ['haproxy', 'nginx', 'tidegate-uws', 'tidegate-node'];

export async function run(bench) {
  const call = ethCall();
  const node = await bench.stub();
  const measure = async ({ name }) => {
    const startMs = performance.now();
    const [peer] = await bench.peers(node, [name]);
    if (peer === undefined) return null;
    await bench.check(peer, call);
    const ms = performance.now() - startMs;
    await bench.drop(peer);
    return { ms };
  };
  const rounds = await bench.interleave(STARTS.map((name) => ({ name })), measure);
  const found = Object.fromEntries(Object.entries(rounds).filter(([, list]) => list[0] !== null));
  return [tableOf('until the first answers, looked for every 20 ms', found, 'haproxy')];
}
