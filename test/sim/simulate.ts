import type { Catalog } from '../../src/chain/catalog.ts';
import { SimCall } from './call.ts';
import { Checks } from './checks.ts';
import { SimGateway } from './gateway.ts';
import { drawPlan } from './plan.ts';
import type { Plan } from './plan.ts';
import { VirtualWorld } from './world.ts';

const METHODS = ['eth_call', 'eth_call', 'eth_getBalance', 'eth_getTransactionReceipt', 'eth_getLogs', 'eth_sendRawTransaction', 'eth_newFilter', 'unknown_method'];

/** What one seed came to. */
export interface SimReport {
  readonly plan: Plan;
  readonly calls: number;
  readonly faults: readonly string[];
}

/** Plays one seed to its end. */
export function simulate(seed: number, catalog: Catalog): SimReport {
  const plan = drawPlan(seed);
  const world = new VirtualWorld();
  const checks = new Checks(plan);
  const gateway = new SimGateway(plan, world, checks);
  gateway.start();
  let calls = 0;
  const next = (): void => {
    if (world.nowMs >= plan.durationMs) return;
    const name = METHODS[Math.floor(plan.random() * METHODS.length)] ?? 'eth_call';
    const call = new SimCall(gateway, catalog.find(name) ?? catalog.unknownSpec);
    calls++;
    checks.onCall(call);
    call.start();
    if (plan.random() < 0.02) world.after(plan.random() * 200, () => call.leave());
    world.after((-Math.log(1 - plan.random()) * 1000) / plan.callsPerS, next);
  };
  world.after(200, next);
  world.run(plan.durationMs + plan.deadlineMs + 1000);
  checks.conclude(gateway);
  return { plan, calls, faults: checks.faults };
}

/** The scenario in words, for whoever has to find the fault. */
export function describePlan(plan: Plan): string {
  const nodes = plan.nodes.map((node) => {
    const spans = node.spans.map((span) => `${span.kind} ${span.fromMs.toFixed(0)}-${span.toMs.toFixed(0)}`).join(', ');
    return `  n${node.index} tier ${node.tier}: ${spans === '' ? 'sound' : spans}`;
  });
  return [`blocks ${plan.chain.blockMs} ms, ${plan.callsPerS} calls/s, deadline ${plan.deadlineMs} ms, strict ${plan.strict}`, ...nodes].join('\n');
}
