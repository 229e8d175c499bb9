import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tidegate-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const report = (...args: readonly string[]): { code: number | null; stdout: string; stderr: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['native-bench/report.mjs', ...args], { cwd: ROOT, encoding: 'utf8' });
  return { code: status, stdout, stderr };
};

interface Figure {
  median: number;
  min: number;
  max: number;
}

/** A file of results with the ratio of hits to nginx and raw uWebSockets.js. */
function results(name: string, callsPerS: Record<string, Figure>): string {
  const rows = Object.fromEntries(Object.entries(callsPerS).map(([peer, figure]) => [peer, { figures: { callsPerS: figure }, ratios: {} }]));
  const rounds = Object.fromEntries(Object.entries(callsPerS).map(([peer, { median }]) => [peer, [{ callsPerS: median }]]));
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify({ cases: { 'hit-small': { tables: [{ title: '64 connections', base: 'nginx-cache', rows, rounds }] } } }));
  return path;
}

const about = (median: number): Figure => ({ median, min: median - 1, max: median + 1 });

test('README, charts, docs/scale.md and docs/snapshots.md say what the recorded results say', () => {
  expect(report('--check')).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('the charts are whole XML with a bar for each peer', () => {
  const svg = readFileSync(join(ROOT, 'docs/charts/calls-per-second.svg'), 'utf8');
  const open = [...svg.matchAll(/<([a-z]+)[^>]*?(\/?)>/g)].filter(([, , closed]) => closed === '').map(([, name]) => name);
  const closed = [...svg.matchAll(/<\/([a-z]+)>/g)].map(([, name]) => name);
  expect(open.toSorted()).toEqual(closed.toSorted());
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  expect([...svg.matchAll(/class="own"/g)].length).toBeGreaterThan(1);
});

test('judges each target by its limits', () => {
  const path = results('good.json', { 'nginx-cache': about(100), 'uws-raw': about(150), 'tidegate-uws': about(110) });
  const { stdout } = report('--targets', path);
  expect(stdout).toMatch(/nginx proxy_cache: req\/s +1\.10 x +>= 1\.05 +>= 1\.2 +met\n/);
  expect(stdout).toMatch(/raw uWebSockets\.js: req\/s +0\.73 x .*met, stretch too\n/);
  expect(stdout).toMatch(/fan-out.* - .*not measured\n/);
  const slow = results('slow.json', { 'nginx-cache': about(100), 'uws-raw': about(150), 'tidegate-uws': about(80) });
  expect(report('--targets', slow).stdout).toMatch(/nginx proxy_cache: req\/s +0\.80 x .*missed\n/);
});

test('compares two files, and marks what more than noise can explain', () => {
  const before = results('before.json', { 'uws-raw': about(150), 'tidegate-uws': about(100) });
  const after = results('after.json', { 'uws-raw': about(151), 'tidegate-uws': about(120) });
  const { code, stdout } = report('--compare', before, after);
  expect(code).toBe(0);
  expect(stdout).toMatch(/hit-small, 64 connections, uws-raw +callsPerS +150\.0 +151\.0 +1\.01 +\(0\.99–1\.02\)\n/);
  expect(stdout).toMatch(/hit-small, 64 connections, tidegate-uws +callsPerS +100\.0 +120\.0 +1\.20 +\(1\.18–1\.22\) {2}\*\n/);
});

test('what to compare with must exist', () => {
  expect(report('--compare', 'no-such-thing')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^no-such-thing is no file, and no commit with/) });
});
