import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Path of the built program; built here when it is older than its sources. */
export function builtProgram(): string {
  const main = join(ROOT, 'dist', 'main.js');
  const newest = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .reduce((latest, path) => Math.max(latest, statSync(join(ROOT, 'src', path)).mtimeMs), 0);
  const built = statSync(main, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built < newest) {
    const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
    execFileSync(process.execPath, [join(dirname(manifest), 'bin', 'tsc'), '-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' });
  }
  return main;
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of the program. */
export interface Program {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** Resolves with the ports it told in its log; rejects with its last words when it ends before. */
  readonly listening: Promise<{ readonly url: string; readonly adminUrl: string }>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the first line of its log from now on that has this text; rejects when it ends before. */
  logged(text: string): Promise<string>;
}

interface StartLine {
  readonly port?: number;
  readonly adminPort?: number;
}

/** The first line of the log that names both ports, or null. */
function startLine(stdout: string): Required<StartLine> | null {
  for (const line of stdout.split('\n').slice(0, -1)) {
    if (!line.startsWith('{')) continue;
    const { port, adminPort } = JSON.parse(line) as StartLine;
    if (port !== undefined && adminPort !== undefined) return { port, adminPort };
  }
  return null;
}

/** Runs the program with these words behind its name. Kill it. */
export function runProgram(...args: readonly string[]): Program {
  const child = spawn(process.execPath, [builtProgram(), ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stderr.on('data', (text) => {
    stderr += String(text);
  });
  const ended = new Promise<Ending>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
  const listening = new Promise<{ url: string; adminUrl: string }>((resolve, reject) => {
    child.stdout.on('data', (text) => {
      stdout += String(text);
      for (const look of waiting) look();
      const ports = startLine(stdout);
      if (ports !== null) resolve({ url: `http://127.0.0.1:${ports.port}/`, adminUrl: `http://127.0.0.1:${ports.adminPort}` });
    });
    void ended.then(({ code }) => reject(new Error(`ended with ${code}: ${stderr}`)));
  });
  listening.catch(() => undefined);
  const logged = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const from = stdout.lastIndexOf('\n') + 1;
      const look = (): void => {
        const line = stdout.slice(from).split('\n').slice(0, -1).find((one) => one.includes(text));
        if (line === undefined) return;
        waiting.delete(look);
        resolve(line);
      };
      waiting.add(look);
      void ended.then(({ code }) => reject(new Error(`ended with ${code}: ${stderr}`)));
    });
  return { pid: child.pid ?? 0, ended, listening, logged, kill: (signal) => void child.kill(signal) };
}
