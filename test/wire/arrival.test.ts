import { afterEach, expect, it, vi } from 'vitest';
import { FatNode } from '../help/fatNode.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';

const LATE_MS = 80;
const BLOCK_TIME_MS = 100;

let nodes: FatNode[] = [];
let gateway: TestGateway;
afterEach(async () => {
  await gateway.close();
  await Promise.all(nodes.map((node) => node.close()));
});

it('a node that tells of each block late gets less weight, and by how much it is late is measured', { timeout: 30_000 }, async () => {
  // the same blocks: they are made of nothing but their height
  nodes = await Promise.all([FatNode.start(), FatNode.start()]);
  const [quick, late] = nodes as [FatNode, FatNode];
  const fronted = [quick, late].map((node, i) => ({ name: ['quick', 'late'][i] as string, httpUrl: node.httpUrl, wsUrl: node.wsUrl }));
  gateway = await testGateway(fronted, { chain: { blockTimeMs: BLOCK_TIME_MS, health: { ramp: { durationMs: 0 } } } });
  const before = await gateway.until((upstreams) => serve(upstreams) && nodes.every((node) => node.heard));
  expect([before['quick']?.score, before['late']?.score]).toEqual([1, 1]);
  for (let i = 0; i < 12; i++) {
    quick.block();
    await new Promise((resolve) => setTimeout(resolve, LATE_MS));
    late.block();
  }
  const after = await gateway.until((upstreams) => upstreams['late']?.score === 0.75);
  expect(after['late']?.arrivalMs).toBeGreaterThan(BLOCK_TIME_MS * 0.35);
  expect(after['late']?.weight).toBe(75);
  expect(after['quick']).toMatchObject({ score: 1, weight: 100, arrivalMs: 0 });
  const told = async (name: string): Promise<number> => {
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    return Number(new RegExp(`^tidegate_upstream_head_delay_seconds_count\\{.*upstream="${name}".*\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
  };
  await vi.waitFor(async () => expect([await told('quick'), await told('late')]).toEqual([12, 12]), { timeout: 10_000 });
});
