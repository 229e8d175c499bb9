import { readFile, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** A mount as this process sees it. */
export interface Mount {
  readonly point: string;
  readonly type: string;
  /** What was given as the thing that is mounted. */
  readonly source: string;
  /** Of the file system, such as `lowerdir`. */
  readonly options: ReadonlyMap<string, string>;
}

/** The kernel writes blanks, tabs, line ends and backslashes as octal. */
const plain = (text: string): string => text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** Reads the text of /proc/self/mountinfo; source: proc_pid_mountinfo(5). */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', behind] = line.split(' - ');
    if (behind === undefined) return [];
    const [type = '', source = '', superOptions = ''] = behind.split(' ');
    const options = superOptions.split(',').map((one): [string, string] => {
      const at = one.indexOf('=');
      return at < 0 ? [one, ''] : [one.slice(0, at), plain(one.slice(at + 1))];
    });
    return [{ point: plain(before.split(' ')[4] ?? ''), type, source: plain(source), options: new Map(options) }];
  });
}

/** What is mounted at a path, the topmost of several; null = nothing, or no such table on this system. */
export async function mountAt(path: string): Promise<Mount | null> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return parseMounts(text).findLast(({ point }) => point === path) ?? null;
}

/** Where the file system is mounted on which a path lies, or would, but for our own overlays; null = it cannot be told. */
export async function mountOver(path: string): Promise<string | null> {
  let at = resolve(path);
  let real = await realpath(at).catch(() => null);
  while (real === null && dirname(at) !== at) {
    at = dirname(at);
    real = await realpath(at).catch(() => null);
  }
  const mounts = parseMounts(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''));
  const points = mounts.filter(({ source }) => !source.startsWith('tidegate-')).map(({ point }) => point).filter((point) => real === point || real?.startsWith(point === '/' ? '/' : `${point}/`) === true);
  return points.sort((a, b) => b.length - a.length)[0] ?? null;
}
