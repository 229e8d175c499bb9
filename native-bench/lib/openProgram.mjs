// The driver of the open loop in C, made when it is first wanted.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { scratch } from '../peers.mjs';
import { has } from '../procs.mjs';

const source = fileURLToPath(new URL('openDriver.c', import.meta.url));

function make(compiler) {
  if (compiler === '' || has(compiler) === null) return null;
  const program = `${scratch}/openDriver`;
  const told = spawnSync(compiler, ['-O2', '-o', program, source, '-lm'], { encoding: 'utf8' });
  return told.status === 0 ? program : null;
}

const made = new Map();

/** Path of the driver, or null without a C compiler and the headers of Linux; `CC=` in the environment says that there is none. */
export function openProgram() {
  const compiler = process.env.CC ?? 'cc';
  if (!made.has(compiler)) made.set(compiler, make(compiler));
  return made.get(compiler);
}
