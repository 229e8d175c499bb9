import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { startController } from '../../src/controller/controller.ts';
import { pidsWithEnv } from '../../src/driver/procfs.ts';
import { listCopies } from '../../src/store/dataCopy.ts';
import { chunksOf } from '../../src/store/store.ts';
import { openVault } from '../../src/vault/open.ts';
import { keptChain } from '../help/kept.ts';
import type { Kept } from '../help/kept.ts';
import { silentLog } from '../help/log.ts';
import { builtProgram } from '../help/program.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

const WAIT = { timeout: 60_000, interval: 50 };
const NODE = 'kept-1';

/** Sub-steps of a capture, of the node's way out and back, and of what follows. */
const POINTS = [
  'capture: cordon done',
  'capture: stop decided',
  'capture: stop done',
  'copy filled',
  'capture: copy done',
  'capture: start done',
  'capture, data in the store',
  'capture, copy booted',
  'capture, proof asked for',
  'capture, published',
  'capture, unverified',
  'capture, recorded',
  'capture, retention',
  'capture, collected',
  'tree built',
];

/** The controller as a process that can end itself at a sub-step. */
class Crasher {
  readonly #file: string;
  child: ChildProcess | null = null;
  adminPort = 0;
  said = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** Ends it at a sub-step, from now on. */
  arm(point: string): void {
    writeFileSync(`${this.#file}.point`, point);
  }

  async start(): Promise<void> {
    this.arm('');
    const child = spawn(process.execPath, [join(import.meta.dirname, '../help/crashController.mjs'), this.#file, `${this.#file}.point`], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.child = child;
    this.said = '';
    this.adminPort = await new Promise<number>((resolve, reject) => {
      child.stdout?.on('data', (text) => {
        this.said += String(text);
        const [, port] = /^admin (\d+)$/m.exec(this.said) ?? [];
        if (port !== undefined) resolve(Number(port));
      });
      child.once('exit', () => reject(new Error(`ended: ${this.said}`)));
    });
  }

  ended(): Promise<string | null> {
    const { child } = this;
    if (child === null || this.isOver) return Promise.resolve(child?.signalCode ?? null);
    return new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  }

  get isOver(): boolean {
    return this.child === null || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.ended();
  }
}

/** A real directory client: it is stopped, and its directory copied. */
const asDirectory = (node: Record<string, unknown>): object => {
  const own = ['--host', '127.0.0.1', '--port', '{httpPort}', ...(node['args'] as string[]), '--state', '{dataDir}/state.json'];
  return { client: 'command', args: [...own, '--state-interval', '1'], trialArgs: own };
};

const post = async (made: Kept, port: number, path: string): Promise<{ readonly id?: string; readonly error?: string }> => {
  const token = readFileSync(made.config.controller.admin.tokenFile, 'utf8').trim();
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: '{}' });
  return (await answer.json()) as { id?: string; error?: string };
};

/** Everything that counts as a snapshot is whole, and nothing else counts. */
const checkStore = async (made: Kept): Promise<number> => {
  const vault = await openVault({ settings: made.config.snapshots, chain: made.config.chains[0]!, peers: [], origins: new Map(), nowMs: () => Date.now() });
  const listed = await vault.store.manifests.list();
  for (const { problem, candidate } of listed) {
    expect(problem).toBeNull();
    for (const chunk of chunksOf(candidate!.manifest.snapshot)) await vault.store.objects.read(chunk);
  }
  return listed.length;
};

it('a controller killed at every sub-step of a capture: the node is back in service, nothing half done counts, and the next capture is proven', async () => {
  builtProgram();
  const made = await keptChain({
    config: (dir) => ({ snapshots: { directory: join(dir, 'snapshots'), keyFile: join(dir, 'keys', 'snapshot.key'), trustFile: join(dir, 'keys', 'trust.json'), proof: { blocks: 2, samples: 4 }, threads: 1, keep: { last: 2, hourly: 0, daily: 0, weekly: 0, monthly: 0 }, graceMs: 0 } }),
    healing: { probation: { samples: 1, newBlocks: 0, timeoutMs: '30s' }, ramp: { percents: [100], stepMs: 0 } },
    change: asDirectory,
  });
  undo.push(() => made.close());
  await made.serving(...made.names);
  await made.controller.close();
  undo.push(async () => {
    made.controller = await startController(made.config, { log: silentLog() });
  });
  const file = join(made.dir, 'controller.json');
  writeFileSync(file, JSON.stringify(made.config));
  const crasher = new Crasher(file);
  undo.push(() => crasher.kill());
  const { dataDir } = made.config.nodes[0]!;
  const calm = async (point: string): Promise<void> => {
    await made.serving(...made.names);
    await vi.waitFor(async () => {
      const tasks = (await (await fetch(`http://127.0.0.1:${crasher.adminPort}/api/v1/snapshots/tasks`)).json()) as { endedAtMs: number | null; state: string; told: string }[];
      const open = tasks.find(({ endedAtMs }) => endedAtMs === null);
      const node = (await (await fetch(`http://127.0.0.1:${crasher.adminPort}/api/v1/nodes/${NODE}`)).json()) as { operation: unknown };
      if (open !== undefined || node.operation !== null) throw new Error(`${point}: ${open?.state} ${open?.told} ${JSON.stringify(node.operation)}`);
    }, WAIT);
    await vi.waitFor(async () => expect((await listCopies(dataDir)).filter(({ state }) => state !== 'done'), point).toEqual([]), WAIT);
    expect(pidsWithEnv(`TIDEGATE_NODE=${join(made.dir, 'state', 'nodes', NODE)}`), point).toHaveLength(1);
    expect(pidsWithEnv(`TIDEGATE_NODE=${join(made.dir, 'state', 'nodes', `${NODE}.trial`)}`), point).toHaveLength(0);
    expect(readdirSync(made.dir).filter((name) => name.endsWith('.partial')), point).toEqual([]);
  };
  await crasher.start();
  await calm('before');
  for (const point of POINTS) {
    crasher.arm(point);
    await vi.waitFor(async () => {
      // it may reach the point before it answers
      if (crasher.isOver) return;
      const answer = await post(made, crasher.adminPort, `/api/v1/nodes/${NODE}/capture`);
      if (answer.id === undefined) throw new Error(answer.error);
      expect(answer.id, point).toMatch(/^capture-/);
    }, WAIT);
    expect(await crasher.ended(), point).toBe('SIGKILL');
    await checkStore(made);
    await crasher.start();
    await calm(point);
    expect(existsSync(join(dataDir, 'state.json')), point).toBe(true);
    await checkStore(made);
  }
  const { id = '' } = await post(made, crasher.adminPort, `/api/v1/nodes/${NODE}/capture`);
  const last = await vi.waitFor(async () => {
    const task = (await (await fetch(`http://127.0.0.1:${crasher.adminPort}/api/v1/snapshots/tasks/${id}`)).json()) as { endedAtMs: number | null; state: string; told: string };
    if (task.endedAtMs === null) throw new Error(`${task.state}: ${task.told}`);
    return task;
  }, WAIT);
  expect([last.state, last.told]).toEqual(['done', expect.stringContaining('proven: L0 L1 L2 L3 L4 L5 L6')]);
  expect(await checkStore(made)).toBeLessThanOrEqual(3);
}, 400_000);
