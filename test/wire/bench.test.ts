import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needs } from '../help/require.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PEERS = ['stub', 'uws-raw', 'haproxy', 'nginx', 'tidegate-uws', 'tidegate-node'];
const FIGURES = ['reqPerS', 'usPerRequest', 'p50Us', 'p99Us', 'rssKib'] as const;

type Figures = Record<(typeof FIGURES)[number], number>;

interface Result {
  readonly results: Record<string, Record<string, { median: number }>>;
  readonly rounds: Record<string, Figures[]>;
}

const ready = ['wrk', 'haproxy', 'nginx'].every(needs);
let folder = '';

/** Runs a Node program from the repository's root to its end. */
function runNode(args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => (stdout += String(data)));
    child.stderr.on('data', (data) => (stderr += String(data)));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-benchtest-'));
});

afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(!ready)('native bench (needs wrk, haproxy, nginx)', { timeout: 120_000 }, () => {
  test('measures every peer, and each gives the right answers', async () => {
    const out = join(folder, 'pass.json');
    const run = await runNode(['native-bench/main.mjs', '--rounds', '1', '--seconds', '1', '--connections', '8', '--out', out]);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    const { results, rounds } = JSON.parse(await readFile(out, 'utf8')) as Result;
    expect(Object.keys(results)).toEqual(PEERS);
    for (const peer of PEERS) {
      expect(run.stdout).toContain(`\n${peer} `);
      expect(rounds[peer]).toHaveLength(1);
      for (const figure of FIGURES) expect(results[peer]?.[figure]?.median, `${peer} ${figure}`).toBeGreaterThan(0);
    }
  });

  test('refuses a peer that answers wrongly', async () => {
    const wrong = `
      import { createServer } from 'node:http';
      import { checkAnswers } from './native-bench/answers.mjs';
      const server = createServer((req, res) => res.end('{"jsonrpc":"2.0","id":1,"result":"0x00"}'));
      server.listen(0, '127.0.0.1', () =>
        checkAnswers({ name: 'twister', url: 'http://127.0.0.1:' + server.address().port + '/' })
          .catch((error) => process.stdout.write(error.message))
          .finally(() => { server.close(); server.closeAllConnections(); }));`;
    const run = await runNode(['--input-type=module', '--eval', wrong]);
    expect(run.stdout).toMatch(/^twister answered call \d+ with status 200: \{"jsonrpc":"2\.0","id":1,/);
  });
});
