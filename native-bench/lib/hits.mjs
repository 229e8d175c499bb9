// Whether the cache really answered.

const TRIES = 20;
const PAUSE_MS = 250;

/**
 * Most of a sample must be hits: a new head may come in between, and what the nodes have not just been seen to agree on is
 * served and not stored, which on a machine that is busy can last a moment.
 * @throws when they are not, in the end
 */
export async function checkHits(bench, peers, call) {
  for (const peer of peers.filter(({ name }) => name.startsWith('tidegate'))) {
    for (let left = TRIES; ; left--) {
      const headers = await bench.check(peer, call);
      const hits = headers.filter((one) => one.get('x-tidegate-cache') === 'hit').length;
      if (hits >= headers.length / 2) break;
      if (left === 1) throw new Error(`${peer.name}: ${hits} of ${headers.length} answers are from the cache`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
