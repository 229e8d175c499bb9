import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../native-bench/fanout.mjs', import.meta.url));
const FIGURES = ['usPerNotice', 'usRatio', 'p50Ms', 'p99Ms', 'directMs'] as const;
const out = join(tmpdir(), `tidegate-fanout-${process.pid}.json`);

afterEach(() => rm(out, { force: true }));

test('the fan-out bench measures every peer, each of which told every connection of every block', { timeout: 60_000 }, async () => {
  const args = [SCRIPT, '--connections', '200', '--blocks', '3', '--rounds', '2', '--clients', '2', '--out', out];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { results } = JSON.parse(await readFile(out, 'utf8')) as { results: Record<string, Record<string, { median: number }> & { memoryBytes: { idle: number } }> };
  expect(Object.keys(results)).toEqual(['uws-raw', 'tidegate-uws', 'tidegate-node']);
  for (const [peer, figures] of Object.entries(results)) {
    expect(stdout).toContain(`\n${peer} `);
    for (const figure of FIGURES) expect(figures[figure]?.median, `${peer} ${figure}`).toBeGreaterThan(0);
  }
  expect(results['uws-raw']?.['usRatio']?.median).toBe(1);
});
