import { afterEach, expect, test } from 'vitest';
import { metric, tell, untilHit } from '../help/cacheCalls.ts';
import { balanceAt, ChainNode } from '../help/chainNode.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';

const A = '0x00000000000000000000000000000000000000aa';

let nodes: ChainNode[] = [];
let gateway: TestGateway | null = null;
afterEach(async () => {
  await gateway?.close();
  await Promise.all(nodes.map((node) => node.close()));
  gateway = null;
});

/** Three nodes at block 60; the edge sees them go on to 70, of which 66 is final. */
async function start(): Promise<TestGateway> {
  nodes = await Promise.all([0, 1, 2].map(() => ChainNode.start(60)));
  for (const node of nodes) node.finalized = 50;
  const opened = await testGateway(nodes.map(({ httpUrl }, index) => ({ name: `n${index}`, httpUrl })), { chain: { chainId: 1, blockTimeMs: 60_000, cache: {}, health: { probeIntervalMs: 50 } } });
  gateway = opened;
  for (let head = 60; head <= 70; head++) {
    for (const node of nodes) node.head = head;
    await opened.until((upstreams, chain) => serve(upstreams) && chain.head?.number === head && Object.values(upstreams).every(({ headNumber }) => headNumber === head));
  }
  for (const node of nodes) node.finalized = 66;
  await opened.until((_, { finalized }) => finalized === 66);
  return opened;
}

const balance = (number: number): readonly [string, readonly string[]] => ['eth_getBalance', [A, `0x${number.toString(16)}`]];

test('a reorg below what was final is counted and told, and takes all that was stored above the fork', async () => {
  const { url, until, chain } = await start();
  const edge = gateway as TestGateway;
  for (const number of [62, 64, 66]) expect((await untilHit(url, ...balance(number))).body.result).toBe(balanceAt(number));
  expect((await chain()).finalityBroken).toBeNull();
  expect(await metric(edge, 'finality_breaks_total')).toBe(0);
  for (const node of nodes) {
    node.fork(64, 'b');
    node.head = 71;
  }
  await until((_, { finalityBroken }) => finalityBroken !== null);
  const { finalityBroken } = await chain();
  // only the newest blocks were seen to go: nothing below is relied on any more
  expect(finalityBroken).toMatchObject({ times: 1, fromNumber: 0, depth: 6 });
  expect(Date.parse(finalityBroken?.at ?? '')).toBeGreaterThan(Date.now() - 60_000);
  expect(await metric(edge, 'finality_breaks_total')).toBe(1);
  expect((await tell(url, ...balance(62))).body.result).toBe(balanceAt(62));
  for (const number of [64, 66]) expect(await tell(url, ...balance(number))).toMatchObject({ cache: 'miss', body: { result: balanceAt(number, 'b') } });
});

test('one above it is none', async () => {
  const { until, chain } = await start();
  for (const node of nodes) {
    node.fork(68, 'b');
    node.head = 71;
  }
  await until((_, { head }) => head?.number === 71);
  expect((await chain()).finalityBroken).toBeNull();
  expect(await metric(gateway as TestGateway, 'reorgs_total')).toBe(1);
  expect(await metric(gateway as TestGateway, 'finality_breaks_total')).toBe(0);
});
