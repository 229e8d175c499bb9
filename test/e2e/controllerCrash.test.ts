import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { startController } from '../../src/controller/controller.ts';
import { pidsWithEnv } from '../../src/driver/procfs.ts';
import type { JournalEntry } from '../../src/observe/journal.ts';
import { keptChain } from '../help/kept.ts';
import type { Kept } from '../help/kept.ts';
import { silentLog } from '../help/log.ts';
import { runProgram } from '../help/program.ts';
import type { Program } from '../help/program.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

const STEPS = ['nothing', 'step cordon', 'step start', 'step uncordon'];

/** The controller as a process of its own, on the nodes and records of the one in this process. */
class ControllerProcess {
  readonly #made: Kept;
  readonly #file: string;
  #program: Program | null = null;

  constructor(made: Kept) {
    this.#made = made;
    this.#file = join(made.dir, 'controller.yaml');
    writeFileSync(this.#file, JSON.stringify(made.config));
  }

  async start(): Promise<void> {
    this.#program = runProgram('control', '--config', this.#file);
    await this.#program.logged('keeping');
  }

  async kill(): Promise<void> {
    this.#program?.kill('SIGKILL');
    await this.#program?.ended;
  }

  journal(): JournalEntry[] {
    const text = readFileSync(join(this.#made.dir, 'state', 'journal.jsonl'), 'utf8');
    return text.split('\n').filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as JournalEntry);
  }

  until(wanted: (entries: readonly JournalEntry[]) => boolean): Promise<void> {
    return vi.waitFor(() => {
      if (!wanted(this.journal())) throw new Error(this.journal().slice(-20).map(({ node, kind, what, why }) => `${node} ${kind} ${what}: ${why}`).join('\n'));
    }, { timeout: 60_000, interval: 20 });
  }
}

it('a controller killed at any point of an operation resumes it: one process per data directory, the others untouched', async () => {
  const made = await keptChain();
  undo.push(() => made.close());
  await made.serving(...made.names);
  const marks = new Map(made.names.map((name) => [name, `TIDEGATE_NODE=${join(made.dir, 'state', 'nodes', name)}`]));
  const pids = (name: string): number[] => pidsWithEnv(marks.get(name) ?? '');
  await made.controller.close();
  undo.push(async () => {
    made.controller = await startController(made.config, { log: silentLog() });
  });
  const controller = new ControllerProcess(made);
  undo.push(() => controller.kill());
  await controller.start();
  const others = [...pids('kept-2'), ...pids('kept-3')];
  for (const point of STEPS) {
    const [before = 0] = pids('kept-1');
    const from = controller.journal().length;
    const seen = (entries: readonly JournalEntry[], wanted: string): boolean => entries.slice(from).some(({ node, kind, what }) => node === 'kept-1' && `${kind} ${what}` === wanted);
    process.kill(before, 'SIGKILL');
    if (point !== 'nothing') await controller.until((entries) => seen(entries, point));
    await controller.kill();
    expect(pids('kept-1').length).toBeLessThanOrEqual(1);
    await controller.start();
    await controller.until((entries) => entries.slice(from).some(({ node, kind, what, outcome }) => node === 'kept-1' && kind === 'operation' && what !== 'stop' && outcome === 'ok'));
    await made.serving(...made.names);
    expect(pids('kept-1'), point).toHaveLength(1);
    expect([...pids('kept-2'), ...pids('kept-3')], point).toEqual(others);
  }
}, 300_000);
