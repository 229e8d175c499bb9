// Whether the cache really answered.

/** Most of a sample must be hits: a new head may come in between. @throws when they are not */
export async function checkHits(bench, peers, call) {
  for (const peer of peers.filter(({ name }) => name.startsWith('tidegate'))) {
    const headers = await bench.check(peer, call);
    const hits = headers.filter((one) => one.get('x-tidegate-cache') === 'hit').length;
    if (hits < headers.length / 2) throw new Error(`${peer.name}: ${hits} of ${headers.length} answers are from the cache`);
  }
}
