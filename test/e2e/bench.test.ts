import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtProgram } from '../help/program.ts';
import { needs } from '../help/require.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CASES = readdirSync(join(ROOT, 'native-bench/cases')).map((file) => file.replace('.mjs', ''));

interface Row {
  readonly figures: Readonly<Record<string, { median: number; min: number; max: number }>>;
}

interface Results {
  readonly cases: Record<string, { checked: number; tables: { title: string; base: string | null; rows: Record<string, Row> }[] }>;
}

let folder = '';

/** Runs the bench from the repository's root to its end. */
function bench(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['native-bench/main.mjs', ...args], { cwd: ROOT });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => (stdout += String(data)));
    child.stderr.on('data', (data) => (stderr += String(data)));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

beforeAll(async () => {
  builtProgram();
  folder = await mkdtemp(join(tmpdir(), 'tidegate-benchtest-'));
});

afterAll(() => rm(folder, { recursive: true }));

test('every case says what it measures', async () => {
  const { code, stdout } = await bench('--list');
  expect(code).toBe(0);
  for (const name of CASES) expect(stdout).toMatch(new RegExp(`^${name} +\\w`, 'm'));
});

test('an unknown case is an error that names those there are', async () => {
  const { code, stderr } = await bench('pass-smal');
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^no case pass-smal \(all, .*pass-small/)]);
});

const ready = ['wrk', 'haproxy', 'nginx'].every(needs);

describe.skipIf(!ready)('smoke of the bench (needs wrk, haproxy, nginx)', () => {
  test.each(CASES)('%s: all answers are right and every figure is there', async (name) => {
    const out = join(folder, `${name}.json`);
    const run = await bench(name, '--smoke', '--out', out);
    expect([run.code, run.stderr]).toEqual([0, '']);
    const { checked, tables } = (JSON.parse(await readFile(out, 'utf8')) as Results).cases[name]!;
    expect(checked).toBeGreaterThan(0);
    expect(tables.length).toBeGreaterThan(0);
    for (const { title, rows } of tables) {
      expect(run.stdout).toContain(title);
      expect(Object.keys(rows).length).toBeGreaterThan(0);
      for (const { figures } of Object.values(rows)) {
        for (const { median, min, max } of Object.values(figures)) expect([min <= median, median <= max]).toEqual([true, true]);
      }
    }
  });

  // the first is right in a sample before, so that only what runs under load can find it
  test.each([
    ['pass-small', { wrongEvery: 2000 }, /^pass-small: \S+: .* 1?\d* wrong: .*0xbad/],
    ['open', { wrongEvery: 400 }, /^open: \S+: \d+ answers, \d+ failed: status 200: .*0xbad/],
    ['ws-calls', { wrongEvery: 500 }, /^ws-calls: \S+: \d+ answers, \d+ failed: frame 1: .*0xbad/],
    ['hit-small', { wrongEvery: 1 }, /^hit-small: \S+ answered call 1 with status 200: .*0xbad/],
    ['slow-beside', { failEvery: 175 }, /^slow-beside: \S+(?: answered call \d+ with|: \d+ answers, \d+ failed:) status 503/],
  ])('%s fails on wrong answers: a stub with %j', async (name, stub, told) => {
    const run = await bench(name, '--smoke', '--stub', JSON.stringify(stub), '--out', join(folder, 'wrong.json'));
    expect([run.code, run.stderr]).toEqual([1, expect.stringMatching(told)]);
  });
});
