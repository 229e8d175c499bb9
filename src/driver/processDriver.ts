import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder } from '../observe/folder.ts';
import type { Logger } from '../observe/log.ts';
import { earlierUser, strangerOn } from './dataUsers.ts';
import { rotate, tail } from './outputFile.ts';
import type { OutputLimits } from './outputFile.ts';
import type { DriverCapabilities, NodeDriver, Observed, RunSpec } from './port.ts';
import { NOTHING } from './port.ts';
import { bootId, dataMark, oomKills, pidsWithEnv, startTicks, usageOf, usersOfData } from './procfs.ts';
import { dropRecord, readRecord, writeRecord } from './runRecord.ts';
import type { RunRecord } from './runRecord.ts';

/** The mark that every process of ours carries: it is found by it when its record is missing. */
const MARK = 'TIDEGATE_NODE';
const POLL_MS = 25;

export interface ProcessDriverOptions {
  /** Where records and output lie; one controller at a time. */
  readonly stateDir: string;
  readonly output: OutputLimits;
  /** Hears of each sub-step as it is reached, by name. */
  readonly onPoint?: (point: string) => void;
}

/**
 * Runs nodes as processes of this machine (Linux), each in its own process group with its output in a file, so that they
 * live on without us and are found again: by a record of pid, start time and boot, and by a mark in their environment. A
 * pid is only ever signalled while its start time is the recorded one.
 */
export class ProcessDriver implements NodeDriver {
  readonly kind = 'process';
  readonly capabilities: DriverCapabilities = { adopts: true, swapsData: true, limits: false };
  readonly #options: ProcessDriverOptions;
  readonly #log: Logger;
  readonly #boot = bootId();
  readonly #children = new Map<string, ChildProcess>();

  constructor(options: ProcessDriverOptions, log: Logger) {
    this.#options = { ...options, stateDir: resolve(options.stateDir) };
    this.#log = log;
    makeFolder(this.#options.stateDir, 0o700);
  }

  observe(name: string): Promise<Observed> {
    try {
      return Promise.resolve(this.#look(name));
    } catch (error) {
      this.#log.warn({ node: name, error: String(error) }, 'a node could not be looked at');
      return Promise.resolve({ ...NOTHING, state: 'unknown' });
    }
  }

  async start(name: string, spec: RunSpec): Promise<void> {
    if (this.#living(name) !== null) return;
    this.#refuseSecond(name, spec);
    makeFolder(spec.dataDir);
    // written first: whoever finds it without a process knows that one may carry the mark
    const record: RunRecord = { pid: -1, startTicks: -1, bootId: this.#boot, startedAtMs: Date.now(), endedAtMs: -1, exitCode: null, signal: null, oomKilled: false, stopSignal: spec.stopSignal };
    writeRecord(this.#recordPath(name), record);
    this.#point('start, noted');
    const child = this.#spawn(name, spec);
    this.#point('start, spawned');
    await new Promise<void>((started, failed) => {
      child.once('spawn', started);
      child.once('error', (error) => {
        const why = `${spec.command} cannot be started: ${error.message}`;
        // its last words, for whoever judges why nothing runs
        appendFileSync(this.#outputPath(name), `${why}\n`, { mode: 0o600 });
        this.#end(name, { ...record, endedAtMs: Date.now() });
        failed(new Error(`node ${name}: ${why}`));
      });
    });
    const pid = child.pid ?? -1;
    const running = { ...record, pid, startTicks: startTicks(pid) ?? -1 };
    writeRecord(this.#recordPath(name), running);
    this.#point('start, recorded');
    this.#children.set(name, child);
    const earlier = earlierUser(spec.dataDir, pid);
    // another controller began at the same instant; the later one gives way, before it has its data open
    if (earlier !== null) this.#signal(running, 'SIGKILL');
    const oomBefore = oomKills();
    const onExit = (code: number | null, signal: NodeJS.Signals | null): void => {
      // after `close` somebody else may keep the records
      if (!this.#children.delete(name)) return;
      this.#end(name, { ...running, endedAtMs: Date.now(), exitCode: code, signal, oomKilled: signal === 'SIGKILL' && oomKills() > oomBefore });
    };
    if (child.exitCode !== null || child.signalCode !== null) onExit(child.exitCode, child.signalCode);
    else child.once('exit', onExit);
    if (earlier === null) return;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    throw new Error(`node ${name}: process ${earlier} runs on its data directory already`);
  }

  /** Two processes on one data directory destroy it. @throws Error that names the other one */
  #refuseSecond(name: string, { dataDir, command, stopSignal }: RunSpec): void {
    const [other] = usersOfData(dataDir);
    if (other === undefined) {
      const stranger = strangerOn({ dataDir, command });
      if (stranger !== null) throw new Error(`node ${name}: ${stranger}, and was not started from here: end it first`);
      return;
    }
    const left = this.#marked(name);
    // what an earlier run of its own has left behind is ours to end
    for (const pid of left) kill(pid, stopSignal);
    throw new Error(`node ${name}: process ${other} runs on its data directory ${left.includes(other) ? 'still, and is asked to end' : 'already'}`);
  }

  async stop(name: string, incarnation: string, graceMs: number): Promise<void> {
    const record = this.#living(name);
    if (record === null || this.#incarnation(record) !== incarnation) return;
    this.#signal(record, record.stopSignal as NodeJS.Signals);
    // one that was halted hears of the end only when it goes on
    this.#signal(record, 'SIGCONT');
    this.#point('stop, asked');
    const deadline = Date.now() + graceMs;
    while (this.#lives(record) || this.#children.get(name)?.pid === record.pid) {
      if (Date.now() >= deadline) this.#signal(record, 'SIGKILL');
      await new Promise((wake) => setTimeout(wake, POLL_MS));
    }
    this.#point('stop, ended');
    await this.#endRest(name);
    this.#look(name);
  }

  forget(name: string): Promise<void> {
    if (this.#living(name) === null) dropRecord(this.#recordPath(name));
    return Promise.resolve();
  }

  logs(name: string, lines: number): Promise<readonly string[]> {
    return Promise.resolve(tail(this.#outputPath(name), lines));
  }

  /** Sets grown output aside; call it now and then. */
  rotate(name: string): void {
    if (rotate(this.#outputPath(name), this.#options.output)) this.#log.info({ node: name }, 'the output of a node was set aside');
  }

  close(): Promise<void> {
    for (const child of this.#children.values()) child.unref();
    this.#children.clear();
    return Promise.resolve();
  }

  #spawn(name: string, spec: RunSpec): ChildProcess {
    const output = openSync(this.#outputPath(name), 'a', 0o600);
    try {
      return spawn(spec.command, spec.args, {
        cwd: spec.dataDir,
        env: { PATH: process.env['PATH'] ?? '', HOME: spec.dataDir, ...spec.env, [MARK]: this.#mark(name), ...Object.fromEntries([dataMark(spec.dataDir)]) },
        stdio: ['ignore', output, output],
        detached: true,
      });
    } finally {
      closeSync(output);
    }
  }

  #look(name: string): Observed {
    const living = this.#living(name);
    const record = living ?? readRecord(this.#recordPath(name));
    if (record === null) return NOTHING;
    const { startedAtMs, endedAtMs, exitCode, signal, oomKilled } = record;
    const seen = { incarnation: this.#incarnation(record), startedAtMs, endedAtMs, exitCode, signal, oomKilled };
    if (living !== null) return { ...seen, state: 'running', pid: living.pid, usage: usageOf(living.pid) };
    if (endedAtMs < 0) {
      // it ended while nobody looked
      this.#end(name, { ...record, endedAtMs: Date.now() });
      return this.#look(name);
    }
    return { ...seen, state: 'exited', pid: null, usage: null };
  }

  /** The record of a process that runs, found by its record or by its mark. */
  #living(name: string): RunRecord | null {
    const record = readRecord(this.#recordPath(name));
    // a child of ours lives until we are told how it ended
    if (record !== null && (this.#lives(record) || this.#children.get(name)?.pid === record.pid)) return record;
    if (record !== null && record.endedAtMs >= 0) return null;
    return this.#adopt(name, record);
  }

  #adopt(name: string, record: RunRecord | null): RunRecord | null {
    // children that it has started carry the mark too: the first is the oldest
    const pids = this.#marked(name).sort((a, b) => (startTicks(a) ?? 0) - (startTicks(b) ?? 0));
    const [pid] = pids;
    const ticks = pid === undefined ? null : startTicks(pid);
    if (pid === undefined || ticks === null) return null;
    const found: RunRecord = { pid, startTicks: ticks, bootId: this.#boot, startedAtMs: record?.startedAtMs ?? Date.now(), endedAtMs: -1, exitCode: null, signal: null, oomKilled: false, stopSignal: record?.stopSignal ?? 'SIGTERM' };
    writeRecord(this.#recordPath(name), found);
    this.#log.info({ node: name, pid }, 'found a node that was running without a record');
    return found;
  }

  #lives({ pid, startTicks: ticks, bootId: boot }: RunRecord): boolean {
    return pid > 0 && boot === this.#boot && startTicks(pid) === ticks;
  }

  #signal(record: RunRecord, signal: NodeJS.Signals): void {
    if (this.#lives(record)) kill(-record.pid, signal);
  }

  /** Ends what a node has left behind. */
  async #endRest(name: string): Promise<void> {
    for (let left = this.#marked(name); left.length > 0; left = this.#marked(name)) {
      for (const pid of left) kill(pid, 'SIGKILL');
      await new Promise((wake) => setTimeout(wake, POLL_MS));
    }
  }

  #marked(name: string): number[] {
    return pidsWithEnv(`${MARK}=${this.#mark(name)}`);
  }

  #end(name: string, record: RunRecord): void {
    writeRecord(this.#recordPath(name), record);
  }

  #incarnation({ pid, startTicks: ticks, startedAtMs }: RunRecord): string {
    return pid < 0 ? `start@${startedAtMs}` : `${pid}@${ticks}`;
  }

  #point(name: string): void {
    this.#options.onPoint?.(name);
  }

  #mark(name: string): string {
    return `${this.#options.stateDir}/${name}`;
  }

  #recordPath(name: string): string {
    return join(this.#options.stateDir, `${name}.run.json`);
  }

  #outputPath(name: string): string {
    return join(this.#options.stateDir, `${name}.log`);
  }
}

function kill(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // gone meanwhile
  }
}
