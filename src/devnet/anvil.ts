import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { watchParent } from './guard.ts';

/** What makes two anvils build the same blocks: all of it must be equal on every node of a chain. */
export interface ChainSpec {
  readonly chainId: number;
  /** Unix seconds of block 0. */
  readonly genesisTimestamp: number;
  readonly hardfork: string;
}

export interface AnvilOptions {
  readonly binary: string;
  readonly chain: ChainSpec;
  /** 0 = the system picks a free one. */
  readonly port: number;
  /** The process's own directory: emptied at start, removed at its end. */
  readonly directory: string;
  /** Bound on the start, in milliseconds. */
  readonly startTimeoutMs: number;
}

/** How a process ended. */
export interface AnvilExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Its last lines of output, oldest first. */
  readonly lastLines: readonly string[];
}

/** A running anvil. */
export interface Anvil {
  readonly pid: number;
  readonly port: number;
  /** Resolves at the end of the process, however it came; never rejects. */
  readonly exited: Promise<AnvilExit>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when the process is gone. */
  stop(graceMs: number): Promise<AnvilExit>;
}

const TAIL_LINES = 20;
const TAIL_LINE_CHARS = 400;

function anvilArgs(options: AnvilOptions): string[] {
  return [
    '--host', '127.0.0.1', '--port', String(options.port),
    '--chain-id', String(options.chain.chainId),
    '--timestamp', String(options.chain.genesisTimestamp),
    '--hardfork', options.chain.hardfork,
    // Blocks are made on command only, of transactions in their order of arrival: the block log then fixes every hash.
    '--no-mining', '--order', 'fifo',
    // safe = head - 1, finalized = head - 2: finality moves within a short run.
    '--slots-in-an-epoch', '1',
    '--cache-path', options.directory,
  ];
}

/** The last lines of a stream of text, bounded in number and length. */
class Tail {
  readonly lines: string[] = [];
  #rest = '';

  add(chunk: string): void {
    const parts = (this.#rest + chunk).split('\n');
    this.#rest = (parts.pop() ?? '').slice(-TAIL_LINE_CHARS);
    for (const part of parts) {
      if (part.trim() !== '') this.lines.push(part.trim().slice(0, TAIL_LINE_CHARS));
    }
    this.lines.splice(0, this.lines.length - TAIL_LINES);
  }
}

/** Says why a process that never listened ended, in one line. */
function startError(options: AnvilOptions, exit: AnvilExit): Error {
  const said = exit.lastLines.at(-1) ?? 'it said nothing';
  const how = exit.signal === null ? `exit code ${String(exit.code)}` : exit.signal;
  return new Error(`anvil did not start on port ${options.port} (${how}): ${said}`);
}

function spawnAnvil(options: AnvilOptions): ChildProcess {
  rmSync(options.directory, { recursive: true, force: true });
  mkdirSync(options.directory, { recursive: true });
  return spawn(options.binary, anvilArgs(options), {
    cwd: options.directory,
    // Its own home, and no ANVIL_* or FOUNDRY_* from outside: every node must run with the same settings.
    env: { PATH: process.env['PATH'] ?? '', HOME: options.directory, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own process group: Ctrl-C reaches only us, and we end the nodes in order.
    detached: true,
  });
}

/** Resolves with the port at the first line that names it; rejects when the process ends or takes too long. */
function listening(child: ChildProcess, options: AnvilOptions, exited: Promise<AnvilExit>): Promise<number> {
  return new Promise((resolve, reject) => {
    let head = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`anvil did not listen within ${options.startTimeoutMs} ms`));
    }, options.startTimeoutMs);
    child.stdout?.on('data', (chunk: string) => {
      if (head.length > 65_536) return;
      head += chunk;
      const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(head)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    });
    void exited.then((exit) => {
      clearTimeout(timer);
      reject(startError(options, exit));
    });
  });
}

/**
 * Starts one anvil and waits until it listens. The process ends with this one, however this one ends.
 * @throws Error with anvil's own last line when it ends early, e.g. because the port is taken
 */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  const child = spawnAnvil(options);
  const tail = new Tail();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => tail.add(chunk));
  }
  const guard = child.pid === undefined ? null : watchParent(child.pid, options.directory);
  const exited = new Promise<AnvilExit>((resolve) => {
    const done = (code: number | null, signal: NodeJS.Signals | null): void => {
      guard?.release();
      rmSync(options.directory, { recursive: true, force: true });
      resolve({ code, signal, lastLines: tail.lines });
    };
    child.once('close', done);
    child.once('error', (error) => {
      tail.add(`${error.message}\n`);
      if (child.pid === undefined) done(null, null);
    });
  });
  const port = await listening(child, options, exited);
  return {
    pid: child.pid ?? 0,
    port,
    exited,
    kill: (signal) => void child.kill(signal),
    stop: async (graceMs) => {
      child.kill('SIGTERM');
      // A process that was halted by SIGSTOP hears of SIGTERM only when it goes on.
      if (process.platform !== 'win32') child.kill('SIGCONT');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}
