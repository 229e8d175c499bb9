import { spawn } from 'node:child_process';

/** A watch over one process. */
export interface Guard {
  /** Ends the watch: the watched process is gone already. Idempotent. */
  release(): void;
}

/**
 * Ends process `pid` and removes `directory` when this process ends, even by SIGKILL. A tiny shell waits for the end of a
 * pipe that only this process holds open; where there is no shell (Windows) an exit hook does what it can.
 */
export function watchParent(pid: number, directory: string): Guard {
  if (process.platform === 'win32') {
    const end = (): void => void process.kill(pid, 'SIGKILL');
    process.once('exit', end);
    return { release: () => void process.removeListener('exit', end) };
  }
  const script = 'read -r _; kill -9 "$1"; rm -rf "$2"';
  const shell = spawn('/bin/sh', ['-c', script, 'sh', String(pid), directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: { PATH: '/usr/bin:/bin' },
  });
  // Without a shell the node still runs and still ends on an orderly stop.
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return { release: () => void shell.kill('SIGKILL') };
}
