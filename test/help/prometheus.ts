import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { findProgram } from './require.ts';

/** A series of an instant query and its value. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** A running Prometheus. */
export interface TestPrometheus {
  /** @throws Error with Prometheus' words when it refuses the query */
  query(expr: string): Promise<readonly Sample[]>;
  /** Names of the alerts it has rules for. */
  alerts(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** What promtool said, and its exit code. */
export function promtool(args: readonly string[], input = ''): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    const child = execFile(findProgram('promtool') ?? 'promtool', args, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), text: out + err }),
    );
    child.stdin?.end(input);
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Runs Prometheus with the files of a folder: its `prometheus.yaml` with only the target and the intervals changed.
 * Data lives in a folder of its own that goes with it.
 */
export async function startPrometheus(configFolder: string, target: string): Promise<TestPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-prometheus-'));
  cpSync(configFolder, folder, { recursive: true });
  const file = join(folder, 'prometheus.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/edge:\d+/, target).replace(/(_interval): 15s/g, '$1: 250ms'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${url.slice(7)}`,
  ];
  const child = spawn(findProgram('prometheus') ?? 'prometheus', args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const get = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { status: string; error?: string; data: T };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const isReady = async (): Promise<void> => {
    if (!(await fetch(`${url}/-/ready`)).ok) throw new Error('Prometheus is not ready');
  };
  await vi.waitFor(isReady, { timeout: 20_000, interval: 50 }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    query: async (expr) =>
      (await get<{ result: readonly Sample[] }>(`query?${new URLSearchParams({ query: expr })}`)).result,
    alerts: async () => {
      const { groups } = await get<{ groups: { rules: { name: string }[] }[] }>('rules?type=alert');
      return groups.flatMap(({ rules }) => rules.map(({ name }) => name));
    },
    stop,
  };
}
