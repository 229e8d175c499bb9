import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { pidsWithEnv } from '../../src/driver/procfs.ts';
import type { Kept } from './kept.ts';

const WAIT = { timeout: 60_000, interval: 20 };

/** One run of a controller that ends itself at the first sub-step that no run before it has reached. */
interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<'killed'>;
  readonly port: number;
}

/** Something that is begun, and how the world is when it is done. `begin` may be cut short by a kill. */
export interface Turn {
  readonly begin: () => Promise<void>;
  readonly isOver: () => Promise<boolean>;
}

/** A row of controllers over the same nodes and records, each killed at the next sub-step, until there is none left. */
export class DyingControllers {
  readonly #made: Kept;
  readonly #config: string;
  readonly #killed: string;
  #run: Run | null = null;

  constructor(made: Kept) {
    this.#made = made;
    this.#config = join(made.dir, 'controller.json');
    this.#killed = join(made.dir, 'killed.txt');
    writeFileSync(this.#config, JSON.stringify(made.config));
  }

  /** Processes that carry a node's mark: there may never be two. */
  pids(name: string): number[] {
    return pidsWithEnv(`TIDEGATE_NODE=${join(this.#made.dir, 'state', 'nodes', name)}`);
  }

  get points(): readonly string[] {
    return existsSync(this.#killed) ? readFileSync(this.#killed, 'utf8').split('\n').filter((line) => line !== '') : [];
  }

  async operate(method: 'POST' | 'DELETE', path: string, body: object = {}): Promise<void> {
    const token = readFileSync(join(this.#made.dir, 'controller.token'), 'utf8').trim();
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    await fetch(`http://127.0.0.1:${this.#run?.port}/api/v1/nodes${path}`, { method, headers, body: JSON.stringify(body) });
  }

  /** What the controller tells of a node; null when it keeps none of that name, or is dead. */
  async told(name: string): Promise<{ readonly operation?: object | null; readonly process?: { readonly state: string } } | null> {
    const answer = await fetch(`http://127.0.0.1:${this.#run?.port}/api/v1/nodes/${name}`).catch(() => null);
    return answer?.ok === true ? ((await answer.json()) as object) : null;
  }

  /**
   * Takes turns, one after the other, and kills the controller at every sub-step of each. A kill within a step can end
   * it before its later sub-steps are reached; the same step of the next turn reaches them.
   */
  async through(turns: readonly Turn[], check: () => void): Promise<readonly string[]> {
    await this.#start();
    for (const turn of turns) await this.#take(turn, check);
    await this.close();
    return this.points;
  }

  async #take({ begin, isOver }: Turn, check: () => void): Promise<void> {
    await begin().catch(() => undefined);
    for (;;) {
      const over = vi.waitFor(async () => {
        check();
        if (!(await isOver())) throw new Error(`not over: ${this.points.join(', ')}; ${JSON.stringify(await this.told('kept-1'))}`);
      }, WAIT);
      over.catch(() => undefined);
      const first = await Promise.race([this.#run?.ended, over.then(() => 'over')]);
      check();
      if (first === 'over') return;
      await this.#start();
    }
  }

  async close(): Promise<void> {
    this.#run?.child.kill('SIGKILL');
    await this.#run?.ended;
    this.#run = null;
  }

  async #start(): Promise<void> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'dyingController.mjs'), this.#config, this.#killed], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<'killed'>((done) => void child.once('exit', () => done('killed')));
    let said = '';
    const port = await new Promise<number>((found) => {
      child.stdout.on('data', (text) => {
        said += String(text);
        const match = /keeping on (\d+)/.exec(said);
        if (match !== null) found(Number(match[1]));
      });
      // one that dies before it has told its port has reached its sub-step at once
      void ended.then(() => found(0));
    });
    this.#run = { child, ended, port };
  }
}
