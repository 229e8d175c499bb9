import { afterAll, beforeAll, expect, it } from 'vitest';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { Lockstep, word } from '../help/lockstep.ts';
import { Libraries } from '../help/subsLibraries.ts';

const TOPICS = 6;

let chain: Lockstep;
let gateway: TestGateway;
beforeAll(async () => {
  chain = await Lockstep.start(3);
  gateway = await testGateway(chain.nodes, { chain: { health: { ramp: { durationMs: 200 }, ejection: { baseMs: 1_000 }, probeIntervalMs: 250 } } });
  await gateway.until((upstreams) => serve(upstreams));
});
afterAll(async () => {
  await gateway.close();
  await chain.close();
});

it('ethers, viem and web3.js run unchanged while nodes die and the chain is reorganised', { timeout: 110_000 }, async () => {
  const libraries = await Libraries.open(gateway.url.replace('http', 'ws'), word(2));
  const grow = async (): Promise<void> => {
    await chain.block(3, TOPICS);
    await libraries.toldOf(chain.tip);
  };
  while (!libraries.began) {
    await chain.block(3, TOPICS);
    await chain.settled();
  }
  await libraries.toldOf(chain.tip);
  const { first } = libraries;
  for (const node of chain.nodes) {
    await grow();
    await node.kill();
    await grow();
    await chain.reorg(2, 3, TOPICS);
    await libraries.toldOf(chain.tip);
    await chain.revive(node);
    await grow();
    await gateway.until((upstreams) => serve(upstreams));
  }
  expect(chain.tip).toBeGreaterThan(first);
  await libraries.conclude(chain.nodes[0]?.url ?? '', first, chain.tip);
  await libraries.close();
});
