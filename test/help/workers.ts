import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { WorkerStatus } from '../../src/gateway/workers/crew.ts';
import { runProgram } from './program.ts';
import type { Program } from './program.ts';

const PATIENCE = { timeout: 30_000, interval: 20 };

/** A gateway of several processes, run from the built program. */
export interface WorkerGateway {
  readonly program: Program;
  readonly url: string;
  readonly adminUrl: string;
  readonly file: string;
  workers(): Promise<readonly WorkerStatus[]>;
  /** Process ids of the workers that serve. */
  serving(): Promise<readonly number[]>;
  /** Resolves with their process ids once `count` workers serve. */
  untilServing(count: number): Promise<readonly number[]>;
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** Asks it to read its file anew, after writing it. */
  reload(text: string): Promise<{ readonly status: number; readonly text: string }>;
  close(): Promise<void>;
}

/** Whether a process of this id is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resolves once none of these processes is there. */
export const untilGone = (pids: readonly number[]): Promise<void> =>
  vi.waitFor(() => {
    const left = pids.filter(isAlive);
    if (left.length > 0) throw new Error(`still there: ${left.join(', ')}`);
  }, PATIENCE);

/** Series by name with labels, of a text in Prometheus format. */
export const seriesOf = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))] as const),
  );

/** Runs `tidegate serve` with this configuration. @param text YAML; `{token}` is the path of a token file that is made */
export async function workerGateway(text: string): Promise<WorkerGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-workers-'));
  const file = join(folder, 'tidegate.yaml');
  const token = join(folder, 'admin.token');
  const write = (wanted: string): void => writeFileSync(file, wanted.replaceAll('{token}', token));
  write(text);
  const program = runProgram('serve', '--config', file);
  const { url, adminUrl } = await program.listening;
  const workers = async (): Promise<readonly WorkerStatus[]> => (await (await fetch(`${adminUrl}/api/v1/workers`)).json()) as WorkerStatus[];
  const serving = async (): Promise<readonly number[]> => (await workers()).flatMap(({ state, pid }) => (state === 'serving' && pid !== null ? [pid] : []));
  return {
    program,
    url,
    adminUrl,
    file,
    workers,
    serving,
    untilServing: (count) =>
      vi.waitFor(async () => {
        const pids = await serving();
        if (pids.length < count) throw new Error(JSON.stringify(await workers()));
        return pids;
      }, PATIENCE),
    metrics: async () => seriesOf(await (await fetch(`${adminUrl}/metrics`)).text()),
    reload: async (wanted) => {
      write(wanted);
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${readFileSync(token, 'utf8').trim()}` };
      const answer = await fetch(`${adminUrl}/api/v1/config/reload`, { method: 'POST', headers });
      return { status: answer.status, text: await answer.text() };
    },
    close: async () => {
      program.kill('SIGKILL');
      await program.ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
