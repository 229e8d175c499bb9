import Docker from 'dockerode';
import type { Container, ContainerCreateOptions, ContainerInspectInfo } from 'dockerode';
import type { Logger } from '../observe/log.ts';
import { groupUsage } from './cgroup.ts';
import { earlierUser, strangerOn } from './dataUsers.ts';
import { splitOutput } from './dockerLogs.ts';
import type { DriverCapabilities, NodeDriver, Observed, RunSpec, Usage } from './port.ts';
import { NOTHING } from './port.ts';
import { dataMark, isSameFolder, usersOfData, usageOf } from './procfs.ts';

export interface DockerDriverOptions {
  /** Unix socket of the engine. */
  readonly socketPath: string;
  /** Begins the names of our containers, so that two controllers can share an engine. */
  readonly prefix: string;
  /** Where a node names none. */
  readonly image: string;
  /** The engine's name of a network; `host` needs no port mapping. */
  readonly network: string;
  /** Bound on one question to the engine. */
  readonly timeoutMs: number;
  /** Output kept by the engine per container. */
  readonly output: { readonly maxBytes: number; readonly kept: number };
}

const SIGNAL_BASE = 128;
const SIGNALS: Readonly<Record<number, string>> = { 2: 'SIGINT', 6: 'SIGABRT', 9: 'SIGKILL', 11: 'SIGSEGV', 15: 'SIGTERM' };

/** The engine's status of an answer that it refused, or 0. */
const statusOf = (error: unknown): number => (error as { statusCode?: number }).statusCode ?? 0;

/** What the engine said; it names containers and paths, never secrets. */
const wordsOf = (error: unknown): string => (error as { json?: { message?: string } }).json?.message ?? (error instanceof Error ? error.message : String(error));

/**
 * Runs nodes as containers of a Docker engine, one per name, the data directory bound in at its own path. Containers
 * outlive the controller and are found again by their name.
 */
export class DockerDriver implements NodeDriver {
  readonly kind = 'docker';
  readonly capabilities: DriverCapabilities = { adopts: true, swapsData: true, limits: true };
  readonly #options: DockerDriverOptions;
  readonly #docker: Docker;
  readonly #log: Logger;

  constructor(options: DockerDriverOptions, log: Logger) {
    this.#options = options;
    this.#docker = new Docker({ socketPath: options.socketPath, timeout: options.timeoutMs });
    this.#log = log;
  }

  async observe(name: string): Promise<Observed> {
    try {
      const info = await this.#inspect(name);
      return info === null || info.State.Status === 'created' ? NOTHING : await this.#observed(name, info);
    } catch (error) {
      this.#log.warn({ node: name, error: wordsOf(error) }, 'a container could not be looked at');
      return { ...NOTHING, state: 'unknown' };
    }
  }

  async start(name: string, spec: RunSpec): Promise<void> {
    const info = await this.#inspect(name);
    if (info?.State.Running === true) return;
    const [other] = usersOfData(spec.dataDir);
    if (other !== undefined) throw new Error(`node ${name}: process ${other} runs on its data directory already`);
    const stranger = strangerOn(spec);
    if (stranger !== null) throw new Error(`node ${name}: ${stranger}, and was not started from here: end it first`);
    const container = this.#container(name);
    // its settings may have changed since, and a container keeps those it was made with
    if (info !== null) await container.remove({ force: true });
    try {
      await this.#docker.createContainer(this.#createOptions(name, spec));
      await container.start();
    } catch (error) {
      if (statusOf(error) === 304) return;
      throw new Error(`node ${name}: ${spec.command} cannot be started: ${wordsOf(error)}`);
    }
    await this.#proveData(name, spec.dataDir);
  }

  /** An engine with a table of mounts of its own binds what lies below a mount: a node must not go on there. */
  async #proveData(name: string, dataDir: string): Promise<void> {
    const pid = (await this.#inspect(name))?.State.Pid ?? 0;
    const earlier = pid === 0 ? null : earlierUser(dataDir, pid);
    if (earlier !== null) {
      // another controller began at the same instant; the later one gives way
      await this.#container(name).remove({ force: true });
      throw new Error(`node ${name}: process ${earlier} runs on its data directory already`);
    }
    if (pid === 0 || isSameFolder(dataDir, `/proc/${pid}/root${dataDir}`) !== false) return;
    await this.#container(name).remove({ force: true });
    throw new Error(`node ${name}: its container had another folder at ${dataDir} than is there: the engine does not see what is mounted, give it the mounts of this machine`);
  }

  async stop(name: string, incarnation: string, graceMs: number): Promise<void> {
    const info = await this.#inspect(name);
    if (info === null || !info.State.Running || incarnationOf(info) !== incarnation) return;
    const container = this.#container(name);
    if (info.State.Paused) await container.unpause();
    if (graceMs > 0) await this.#signal(container, (info.Config as { StopSignal?: string }).StopSignal ?? 'SIGTERM');
    // one that was halted hears of the end only when it goes on
    await this.#signal(container, 'SIGCONT');
    const ended = container.wait();
    const timer = setTimeout(() => void this.#signal(container, 'SIGKILL').catch((error: unknown) => this.#log.warn({ node: name, error: wordsOf(error) }, 'a container could not be killed')), graceMs);
    await ended.finally(() => clearTimeout(timer));
  }

  async forget(name: string): Promise<void> {
    const info = await this.#inspect(name);
    if (info !== null && !info.State.Running) await this.#container(name).remove({ force: true });
  }

  async logs(name: string, lines: number): Promise<readonly string[]> {
    const info = await this.#inspect(name);
    if (info === null) return [];
    const since = Math.floor(Date.parse(info.State.StartedAt) / 1000) || 0;
    const output = await this.#container(name).logs({ stdout: true, stderr: true, tail: lines, since, follow: false });
    return splitOutput(output).slice(-lines);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #container(name: string): Container {
    return this.#docker.getContainer(`${this.#options.prefix}-${name}`);
  }

  async #inspect(name: string): Promise<ContainerInspectInfo | null> {
    try {
      return await this.#container(name).inspect();
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  }

  async #observed(name: string, info: ContainerInspectInfo): Promise<Observed> {
    const { State } = info;
    const startedAtMs = Date.parse(State.StartedAt);
    const seen = { incarnation: incarnationOf(info), startedAtMs, oomKilled: State.OOMKilled };
    if (State.Running) return { ...seen, state: 'running', endedAtMs: -1, exitCode: null, signal: null, pid: State.Pid, usage: await this.#usage(name, State.Pid) };
    const signal = SIGNALS[State.ExitCode - SIGNAL_BASE] ?? null;
    return { ...seen, state: 'exited', endedAtMs: Date.parse(State.FinishedAt), exitCode: signal === null ? State.ExitCode : null, signal, pid: null, usage: null };
  }

  async #usage(name: string, pid: number): Promise<Usage | null> {
    const openFiles = usageOf(pid)?.openFiles ?? null;
    const group = groupUsage(pid);
    if (group !== null) return { ...group, openFiles };
    try {
      // the engine answers with its next sample, up to a second later
      const stats = await this.#container(name).stats({ stream: false, 'one-shot': true });
      return { cpuMs: stats.cpu_stats.cpu_usage.total_usage / 1e6, memoryBytes: stats.memory_stats.usage ?? 0, openFiles };
    } catch (error) {
      // it may have ended since
      if (statusOf(error) === 404 || statusOf(error) === 409) return null;
      throw error;
    }
  }

  async #signal(container: Container, signal: string): Promise<void> {
    try {
      await container.kill({ signal });
    } catch (error) {
      // 409: it does not run any more
      if (statusOf(error) !== 409 && statusOf(error) !== 404) throw error;
    }
  }

  #createOptions(name: string, spec: RunSpec): ContainerCreateOptions {
    const { network, output, prefix, image } = this.#options;
    const { memoryBytes, cpus } = spec.limits ?? {};
    return {
      name: `${prefix}-${name}`,
      Image: spec.image ?? image,
      Entrypoint: [spec.command],
      Cmd: [...spec.args],
      Env: Object.entries({ HOME: spec.dataDir, ...spec.env, ...Object.fromEntries([dataMark(spec.dataDir)]) }).map(([key, value]) => `${key}=${value}`),
      WorkingDir: spec.dataDir,
      StopSignal: spec.stopSignal,
      Labels: { 'tidegate.node': name, 'tidegate.controller': prefix },
      HostConfig: {
        NetworkMode: network,
        Binds: [`${spec.dataDir}:${spec.dataDir}`],
        // the controller alone decides about restarts
        RestartPolicy: { Name: 'no' },
        LogConfig: { Type: 'json-file', Config: { 'max-size': `${output.maxBytes}`, 'max-file': `${output.kept + 1}` } },
        ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
        ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
      },
    };
  }
}

/** A container can run several times: its id and its start name a run. */
function incarnationOf({ Id, State }: ContainerInspectInfo): string {
  return `${Id.slice(0, 12)}@${State.StartedAt}`;
}
