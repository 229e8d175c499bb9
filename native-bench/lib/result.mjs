// The file of results: one entry per case, each with the machine's state and the commit that it was measured at.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { has } from '../procs.mjs';

const version = (program, args) => {
  const path = has(program);
  if (path === null) return null;
  const out = spawnSync(path, args, { encoding: 'utf8' });
  return `${out.stdout}${out.stderr}`.trim().split('\n')[0];
};

export const machine = () => ({ cpu: cpus()[0]?.model, cores: cpus().length, memoryMib: Math.round(totalmem() / 2 ** 20), kernel: release() });

export const versions = () => ({ node: process.version, haproxy: version('haproxy', ['-v']), nginx: version('nginx', ['-v']), wrk: version('wrk', ['-v']) });

export const load = () => loadavg().map((n) => Number(n.toFixed(2)));

export const commit = () => {
  const git = (...words) => spawnSync('git', words, { encoding: 'utf8' }).stdout.trim();
  // results that are being written are no change of what is measured
  const isDirty = git('status', '--porcelain', '--untracked-files=no', '--', ':/', ':!/native-bench/results') !== '';
  return `${git('rev-parse', '--short', 'HEAD')}${isDirty ? '-dirty' : ''}`;
};

/** @returns { machine, versions, cases } of a file, or an empty one */
export function readResults(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { cases: {} };
}

/** Puts a case in the file; the others stay as they are. */
export function saveCase(path, name, told) {
  const before = readResults(path);
  mkdirSync(dirname(path), { recursive: true });
  const text = JSON.stringify({ machine: machine(), versions: versions(), cases: { ...before.cases, [name]: told } }, null, 1);
  // a list of numbers on one line
  writeFileSync(path, `${text.replace(/\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]/g, (_, list) => `[${list.replace(/\s+/g, ' ')}]`)}\n`);
}
