// Starts and stops the programs under test, and reads their processor time from /proc.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer, connect } from 'node:net';

const ticksPerS = 100;

/** Whether a program is on the PATH (Debian keeps daemons in /usr/sbin). */
export function has(program) {
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  const found = spawnSync('which', [program], { env: { ...process.env, PATH: path } });
  return found.status === 0 ? found.stdout.toString().trim() : null;
}

/** A free TCP port on loopback. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when something accepts on the port; fails when the process ends first or after 10 s. */
export async function accepts(port, child) {
  const end = performance.now() + 10_000;
  while (performance.now() < end) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}: ${child.tail}`);
    const ok = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${child.spawnfile} does not accept on ${port}: ${child.tail}`);
}

/** Starts a program whose output is kept short for error texts. */
export function run(command, args, env = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  child.tail = '';
  const keep = (data) => {
    child.tail = (child.tail + data).slice(-2000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return child;
}

/** Ends a program by its own pid and waits for it. */
export function end(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 3000).unref();
  });
}

const children = (pid) => {
  const all = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) all.push(Number(entry));
    } catch {
      // the process ended while we looked
    }
  }
  return all;
};

/** User + system time of a process and its children, in microseconds. */
export function cpuUs(pid) {
  const fields = (id) => {
    const stat = readFileSync(`/proc/${id}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  };
  let ticks = 0;
  for (const id of [pid, ...children(pid)]) {
    const f = fields(id);
    ticks += Number(f[11]) + Number(f[12]);
  }
  return (ticks / ticksPerS) * 1e6;
}

/** Resident memory of a process and its children, in KiB; pages they share count for each. */
export function rssKib(pid) {
  let sumKib = 0;
  for (const id of [pid, ...children(pid)]) {
    const line = readFileSync(`/proc/${id}/status`, 'latin1').match(/VmRSS:\s+(\d+)/);
    if (line !== null) sumKib += Number(line[1]);
  }
  return sumKib;
}
