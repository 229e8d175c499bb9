import { fanout } from '../fanout.mjs';

export const about = 'each new block told to 1,000 WebSocket subscribers, against raw uWebSockets.js that publishes the same bytes';

const FIGURES = ['usPerNotice', 'p50Ms', 'p99Ms', 'directMs', 'addedMs'];
const one = (n) => ({ median: n, min: n, max: n });

export async function run(bench) {
  const options = bench.isSmoke ? { connections: 200, blocks: 2, rounds: 1, clients: 1, peers: ['uws-raw', 'tidegate-uws'] } : { rounds: bench.rounds, blocks: 40 };
  const { options: used, results } = await fanout(options);
  const rows = Object.fromEntries(
    Object.entries(results).map(([name, told]) => {
      const memory = { idleKib: one(told.memoryBytes.idle / 1024), subscribedKib: one(told.memoryBytes.subscribed / 1024) };
      return [name, { figures: { ...Object.fromEntries(FIGURES.map((key) => [key, told[key]])), ...memory }, ratios: { usPerNotice: told.usRatio } }];
    }),
  );
  // the hash of every block in the notice of every connection of a process
  bench.checked += Object.keys(results).length * used.rounds * used.blocks * used.clients;
  return [{ title: `${used.connections} subscribers`, base: 'uws-raw', rows }];
}
