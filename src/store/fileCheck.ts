import { spawn } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../observe/folder.ts';

/** How long a check may take: a file of 1 GiB takes some seconds. */
const CHECK_MS = 60_000;

/** Compiled, whoever asks: a child cannot run the source. */
const CHECK_FILE = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../dist/store/checkMain.js' : './checkMain.js', import.meta.url));

/** Moves a file of stored answers out of the way; the next use starts a new one. @returns its new name; null = there was none */
export function setAside(path: string): string | null {
  if (!existsSync(path)) return null;
  const aside = `${path}.damaged`;
  rmSync(aside, { force: true });
  renameSync(path, aside);
  rmSync(`${path}-lock`, { force: true });
  return aside;
}

/**
 * Makes a file of stored answers fit for use, before anybody opens it: has a process of its own copy what is sound in it, and sets
 * it aside when that process fails, or dies of it.
 * @returns why it was set aside; null = it was not
 */
export async function checkFile(path: string): Promise<string | null> {
  makeFolder(dirname(path));
  if (!existsSync(path)) return null;
  const copy = `${path}.checked`;
  rmSync(copy, { force: true });
  const fault = await readThrough(path, copy);
  if (fault !== null) setAside(path);
  else renameSync(copy, path);
  rmSync(copy, { force: true });
  rmSync(`${path}-lock`, { force: true });
  return fault;
}

function readThrough(path: string, copy: string): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CHECK_FILE, path, copy], { stdio: 'ignore', timeout: CHECK_MS, killSignal: 'SIGKILL' });
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? null : `reading it ended with ${signal ?? `code ${code}`}`));
  });
}
