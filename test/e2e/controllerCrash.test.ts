import { afterEach, expect, it } from 'vitest';
import { startController } from '../../src/controller/controller.ts';
import { DyingControllers } from '../help/dying.ts';
import { keptChain } from '../help/kept.ts';
import type { Kept, KeptOptions } from '../help/kept.ts';
import { silentLog } from '../help/log.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

const FAST = { probation: { samples: 1, newBlocks: 0, timeoutMs: '30s' }, ramp: { percents: [50, 100], stepMs: 0 }, backoffMinMs: '100ms', backoffMaxMs: '200ms', maxAttemptsPerDay: 1000, confirmMs: '0ms' };

interface Scene {
  readonly made: Kept;
  readonly dying: DyingControllers;
  /** Nothing of kept-1 runs twice, and the others are the processes that they were. */
  readonly check: () => void;
  /** kept-1 runs at full weight, and nothing is being done about it. */
  readonly isBack: () => Promise<boolean>;
}

async function scene(options: KeptOptions = {}): Promise<Scene> {
  const made = await keptChain({ blockMs: 0, healing: FAST, controller: { intervalMs: 100 }, ...options });
  undo.push(() => made.close());
  await made.serving(...made.names);
  await made.controller.close();
  undo.push(async () => {
    made.controller = await startController(made.config, { log: silentLog() });
  });
  const dying = new DyingControllers(made);
  undo.push(() => dying.close());
  const others = made.names.filter((name) => name !== 'kept-1');
  const before = others.map((name) => dying.pids(name));
  const check = (): void => {
    expect(dying.pids('kept-1').length).toBeLessThanOrEqual(1);
    expect(others.map((name) => dying.pids(name))).toEqual(before);
  };
  const isBack = async (): Promise<boolean> => {
    const { 'kept-1': upstream } = await made.gateway.upstreams();
    const told = await dying.told('kept-1');
    return told !== null && told.operation === null && told.process?.state === 'running' && upstream?.state === 'serving' && upstream.assignedWeight === 100;
  };
  return { made, dying, check, isBack };
}

/** Sub-steps of these steps of an operation that no kill within can take away. */
const parts = (operation: string, ...steps: string[]): string[] => steps.flatMap((step) => (step === 'start' || step === 'stop' ? ['decided'] : ['decided', 'done']).map((part) => `${operation}: ${step} ${part}`));
const BACK = ['weight', 'uncordon'];
const DRIVER = ['start, noted', 'start, spawned', 'start, recorded', 'stop, asked', 'stop, ended'];

it('a controller killed at every sub-step of a start, a restart, a stop and a start by wish resumes each', async () => {
  const { dying, check, isBack } = await scene();
  let running = -1;
  const isAnew = async (): Promise<boolean> => dying.pids('kept-1')[0] !== running && (await isBack());
  const isStopped = async (): Promise<boolean> => {
    const told = await dying.told('kept-1');
    return told?.process?.state === 'exited' && told.operation === null;
  };
  const died = async (): Promise<void> => {
    running = dying.pids('kept-1')[0] ?? -1;
    process.kill(running, 'SIGKILL');
  };
  const restart = (): Promise<void> => {
    running = dying.pids('kept-1')[0] ?? -1;
    return dying.operate('POST', '/kept-1/restart');
  };
  const points = await dying.through([
    { begin: died, isOver: isAnew },
    { begin: restart, isOver: isAnew },
    { begin: () => dying.operate('POST', '/kept-1/stop'), isOver: isStopped },
    { begin: () => dying.operate('POST', '/kept-1/start'), isOver: isBack },
  ], check);
  expect(points).toEqual(expect.arrayContaining([...parts('start', 'cordon', 'start', ...BACK), ...parts('restart', 'cordon', 'stop', 'start', ...BACK), ...parts('stop', 'cordon', 'stop'), ...DRIVER, 'restart wished', 'stop wished', 'start wished']));
}, 400_000);

it('a controller killed at every sub-step of a removal and an addition resumes each', async () => {
  const { made, dying, check, isBack } = await scene();
  const isGone = async (): Promise<boolean> => (await dying.told('kept-2')) !== null && (await dying.told('kept-1')) === null && dying.pids('kept-1').length === 0 && (await made.gateway.upstreams())['kept-1'] === undefined;
  // a kill before it is written down leaves nothing: whoever has no answer asks again
  const add = (): Promise<void> => dying.operate('POST', '', made.nodes[0]);
  const isAdded = async (): Promise<boolean> => {
    if ((await dying.told('kept-2')) !== null && (await dying.told('kept-1')) === null) await add();
    return isBack();
  };
  const points = await dying.through([
    { begin: () => dying.operate('DELETE', '/kept-1', { deleteData: true }), isOver: isGone },
    { begin: add, isOver: isAdded },
  ], check);
  const removal = [...parts('remove', 'cordon', 'stop', 'delist'), 'remove: forget decided', 'forget, driver', 'forget, data', 'forget, roster', 'remove wished'];
  expect(points).toEqual(expect.arrayContaining([...removal, 'add checked', 'add written', 'enlist decided', 'enlist done', ...parts('start', 'start', ...BACK), 'stop, asked', 'start, noted', 'start, spawned']));
}, 400_000);
