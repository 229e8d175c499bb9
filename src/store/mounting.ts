import { execFile } from 'node:child_process';
import { readdir, readlink } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { StoreFault } from './fault.ts';
import { mountAt } from './mountTable.ts';

const COMMAND_TIMEOUT_MS = 30_000;
/** A process that was killed holds its files for a moment longer. */
const BUSY_WAIT_MS = 10_000;
const BUSY_EVERY_MS = 50;
/** Exit code of `umount` where something uses the mount; source: umount(8). */
const BUSY = 32;

interface Ended {
  readonly code: number;
  readonly said: string;
}

/** Runs a program of the system. A name that is not found has code -1. */
const run = (program: string, args: readonly string[]): Promise<Ended> =>
  new Promise((done) => {
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
    execFile(program, [...args], { timeout: COMMAND_TIMEOUT_MS, env }, (error, _, said) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      done({ code, said: said.trim() || (error?.message ?? '') });
    });
  });

/** The parts of an overlay. */
export interface OverlayParts {
  /** Names it in the table of mounts. */
  readonly source: string;
  readonly lower: string;
  readonly upper: string;
  readonly work: string;
}

/** Characters that part the options of a mount, or its lower folders. */
const PARTING = /[,:\\"]/;

/** Why this process cannot mount these paths; null = nothing speaks against it. */
export function mountObstacle(paths: readonly string[]): string | null {
  if (process.platform !== 'linux') return 'overlays are of Linux';
  if (process.getuid?.() !== 0) return 'only root may mount';
  const odd = paths.find((path) => PARTING.test(path));
  return odd === undefined ? null : `${odd}: a path with a comma, colon, quote or backslash cannot be mounted`;
}

/** Mounts an overlay at `point`. @throws StoreFault with what `mount` said */
export async function mountOverlay(point: string, { source, lower, upper, work }: OverlayParts): Promise<void> {
  // without redirect_dir a folder of the snapshot cannot be renamed
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},redirect_dir=on`;
  const { code, said } = await run('mount', ['-t', 'overlay', source, '-o', options, point]);
  if (code !== 0) throw new StoreFault('unmountable', `${point}: the overlay cannot be mounted: ${said}`);
}

/** Processes that have something below a folder open or work in it, with their names. */
async function holdersOf(folder: string): Promise<string[]> {
  const below = `${folder}${sep}`;
  const isIn = (target: string): boolean => target === folder || target.startsWith(below);
  const link = (path: string): Promise<string> => readlink(path).catch(() => '');
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const held: string[] = [];
  for (const pid of pids) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const targets = await Promise.all([link(`/proc/${pid}/cwd`), link(`/proc/${pid}/root`), ...files.map((fd) => link(join('/proc', pid, 'fd', fd)))]);
    if (targets.some(isIn)) held.push(`process ${pid}`);
  }
  return held;
}

/**
 * Takes away what is mounted at `point`, never lazily: a writer that goes on below would meet the next mount of the same
 * files. Waits for a process that is just ending.
 * @throws StoreFault naming who uses it
 */
export async function unmount(point: string): Promise<void> {
  const deadline = Date.now() + BUSY_WAIT_MS;
  while ((await mountAt(point)) !== null) {
    const { code, said } = await run('umount', [point]);
    if (code === 0) continue;
    if (code !== BUSY || Date.now() >= deadline) {
      const holders = code === BUSY ? await holdersOf(point) : [];
      throw new StoreFault('EBUSY', `${point}: cannot be unmounted: ${holders.length === 0 ? said : `${holders.join(', ')} uses it`}`);
    }
    await new Promise((wake) => setTimeout(wake, BUSY_EVERY_MS));
  }
}
