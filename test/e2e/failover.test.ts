import { request } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDevnet, testDevnet } from '../help/devnet.ts';
import { serve, type TestGateway, testGateway } from '../help/gateway.ts';
import { type Load, startLoad } from '../help/load.ts';

const CALLS_PER_S = 400;
/** Calls watched before and after each event: about half a second of load. */
const SPELL = 200;
/** Far over what a hedge or the discovery of a dead node takes, far below the deadline of 30 s. */
const PATIENT_MS = 5_000;
const ALL = ['anvil-1', 'anvil-2', 'anvil-3'];

let devnet: TestDevnet;
let gateway: TestGateway;
let load: Load | null = null;

beforeAll(async () => {
  devnet = await testDevnet({ blockTimeMs: 1_000 });
  await devnet.sequencer.reached(0, 2);
});
afterAll(() => devnet.close());

beforeEach(async () => {
  for (const node of devnet.nodes) await node.start();
  await devnet.settled();
  // A short ramp, so that the way back ends within a test.
  gateway = await testGateway(devnet.nodes, { chain: { health: { ramp: { durationMs: 500 } } } });
  await gateway.until((upstreams) => serve(upstreams));
});
afterEach(async () => {
  await load?.stop();
  load = null;
  for (const node of devnet.nodes) await node.kill('SIGCONT');
  await gateway.close();
});

const node = (index: number): TestDevnet['nodes'][number] => {
  const found = devnet.nodes[index];
  if (found === undefined) throw new RangeError(`no node ${index}`);
  return found;
};

describe('under an even load of idempotent reads', () => {
  it('no client sees that a node is killed; the node goes down, and serves again when started again', async () => {
    load = startLoad(gateway.url, CALLS_PER_S);
    await load.answered(SPELL);
    await node(0).kill('SIGKILL');
    await gateway.until((upstreams) => upstreams['anvil-1']?.state === 'down');
    await load.answered(SPELL);
    await node(0).start();
    await gateway.until((upstreams) => serve(upstreams, ['anvil-1']));
    await load.answered(SPELL);
    const { errors, slowestMs, byUpstream } = await load.stop();
    expect(errors).toEqual({});
    expect(slowestMs).toBeLessThan(PATIENT_MS);
    expect(Object.keys(byUpstream).sort()).toEqual(ALL);
    expect(gateway.transitions).toContain('anvil-1 serving>down probe-refused');
  });

  it('no client sees that a node hangs, or waits for it; the node goes down, and serves again when it wakes', async () => {
    load = startLoad(gateway.url, CALLS_PER_S);
    await load.answered(SPELL);
    await node(1).kill('SIGSTOP');
    await gateway.until((upstreams) => upstreams['anvil-2']?.state === 'down');
    await load.answered(SPELL);
    await node(1).kill('SIGCONT');
    await gateway.until((upstreams) => serve(upstreams, ['anvil-2']));
    await load.answered(SPELL);
    const { errors, slowestMs } = await load.stop();
    expect(errors).toEqual({});
    expect(slowestMs).toBeLessThan(PATIENT_MS);
    expect(gateway.transitions).toContain('anvil-2 serving>down probe-timeout');
  });

  it('no client sees that two of three nodes are killed at once', async () => {
    load = startLoad(gateway.url, CALLS_PER_S);
    await load.answered(SPELL);
    await Promise.all([node(0).kill('SIGKILL'), node(2).kill('SIGKILL')]);
    await gateway.until((upstreams) => upstreams['anvil-1']?.state === 'down' && upstreams['anvil-3']?.state === 'down');
    await load.answered(SPELL);
    const { errors, slowestMs } = await load.stop();
    expect(errors).toEqual({});
    expect(slowestMs).toBeLessThan(PATIENT_MS);
  });

  it('every call gets an error within its deadline while all nodes are dead, and an answer when they are back', async () => {
    await gateway.close();
    const deadlineMs = 3_000;
    const routing = { deadlineMs, connectTimeoutMs: 1_000, attemptTimeout: { maxMs: 2_000 } };
    gateway = await testGateway(devnet.nodes, { chain: { routing, health: { ramp: { durationMs: 500 } } } });
    await gateway.until((upstreams) => serve(upstreams));
    load = startLoad(gateway.url, CALLS_PER_S);
    await load.answered(SPELL);
    await Promise.all(devnet.nodes.map((each) => each.kill('SIGKILL')));
    await gateway.until((upstreams) => ALL.every((name) => upstreams[name]?.state === 'down'));
    await load.answered(SPELL);
    const { calls, errors, slowestMs } = await load.stop();
    expect(slowestMs).toBeLessThan(deadlineMs + PATIENT_MS);
    // Whatever is no answer is a JSON-RPC error of a server that is out of nodes, under the caller's id.
    expect(Object.keys(errors).filter((error) => !/^eth_\w+ 503 \{"code":-32\d{3},"message":"/.test(error))).toEqual([]);
    const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
    expect(failed).toBeGreaterThanOrEqual(SPELL);
    expect(failed).toBeLessThan(calls);
    const readiness = await request(`${gateway.adminUrl}/readyz`);
    expect(readiness.statusCode).toBe(503);
    expect(await readiness.body.text()).toContain('test: no upstream can serve');

    await Promise.all(devnet.nodes.map((each) => each.start()));
    await gateway.until((upstreams) => serve(upstreams));
    load = startLoad(gateway.url, CALLS_PER_S);
    await load.answered(SPELL);
    expect((await load.stop()).errors).toEqual({});
  });
});
