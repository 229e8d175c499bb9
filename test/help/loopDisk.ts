import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './require.ts';

/** A file system of its own, in a file. */
export interface LoopDisk {
  readonly path: string;
  dispose(): void;
}

/** Makes and mounts one; needs root and the programs that make it. */
export function loopDisk(type: 'btrfs' | 'xfs' | 'ext4', sizeMiB: number): LoopDisk {
  const dir = mkdtempSync(join(tmpdir(), `tidegate-${type}-`));
  const [image, path] = [join(dir, 'image'), join(dir, 'disk')];
  mkdirSync(path);
  execFileSync('truncate', ['-s', `${sizeMiB}M`, image]);
  execFileSync(findProgram(`mkfs.${type}`) ?? `mkfs.${type}`, type === 'btrfs' ? ['-q', '-f', image] : ['-q', image]);
  execFileSync('mount', ['-o', 'loop', image, path]);
  return {
    path,
    dispose: () => {
      execFileSync('umount', [path]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
