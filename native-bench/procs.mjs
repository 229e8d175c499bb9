// Starts and stops the programs under test, and reads their processor time and memory from /proc.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const ticksPerS = 100;
const KILL_AFTER_MS = 5000;

/** Path of a program on the PATH (Debian keeps daemons in /usr/sbin), or null. */
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
export async function accepts(port, child, everyMs = 20) {
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
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(`${child.spawnfile} does not accept on ${port}: ${child.tail}`);
}

/** Starts a program whose output is kept short for error texts. `input`: `pipe` to write to it. */
export function run(command, args, env = {}, input = 'ignore') {
  const child = spawn(command, args, { stdio: [input, 'pipe', 'pipe'], env: { ...process.env, ...env } });
  child.tail = '';
  const keep = (data) => {
    child.tail = (child.tail + data).slice(-2000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return child;
}

/** Runs a program to its end. @returns its output @throws when it ends with another code than 0 */
export function output(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let text = '';
    let errors = '';
    child.stdout.on('data', (data) => (text += data));
    child.stderr.on('data', (data) => (errors += data));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`${command} ended with ${code}: ${errors}${text}`))));
  });
}

/** Ends a program by its own pid and waits for it. */
export function end(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
  });
}

const statOf = (pid) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null; // it ended while we looked
  }
};

/** A process and all below it: pid and the fields of its stat from the third on. */
function family(pid) {
  const all = new Map();
  for (const entry of readdirSync('/proc')) {
    const stat = /^\d+$/.test(entry) ? statOf(entry) : null;
    if (stat !== null) all.set(Number(entry), stat);
  }
  const found = [];
  const add = (id) => {
    if (!all.has(id)) return;
    found.push([id, all.get(id)]);
    for (const [child, stat] of all) if (Number(stat[1]) === id) add(child);
  };
  add(pid);
  return found;
}

/** A process and all below it. */
export const pidsOf = (pid) => family(pid).map(([id]) => id);

/** Processor time of a process and all below it, those that ended included, in microseconds, in steps of 10,000. */
export function cpuOf(pid) {
  const sum = { userUs: 0, systemUs: 0 };
  for (const [, stat] of family(pid)) {
    sum.userUs += ((Number(stat[11]) + Number(stat[13])) / ticksPerS) * 1e6;
    sum.systemUs += ((Number(stat[12]) + Number(stat[14])) / ticksPerS) * 1e6;
  }
  return sum;
}

/** Time on a processor of a process and all below it, their living threads, to the nanosecond, in microseconds. */
export function onCpuUs(pid) {
  let sumNs = 0;
  for (const id of pidsOf(pid)) {
    try {
      for (const task of readdirSync(`/proc/${id}/task`)) sumNs += Number(readFileSync(`/proc/${id}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
    } catch {
      // it ended while we looked
    }
  }
  return sumNs / 1000;
}

/** User + system time of one process alone, in microseconds. */
export function ownCpuUs(pid) {
  const stat = statOf(pid);
  return stat === null ? 0 : ((Number(stat[11]) + Number(stat[12])) / ticksPerS) * 1e6;
}

/** User + system time of a process and its children, in microseconds. */
export function cpuUs(pid) {
  const { userUs, systemUs } = cpuOf(pid);
  return userUs + systemUs;
}

/** Resident memory of a process and all below it, in KiB; pages they share count for each. */
export function rssKib(pid) {
  let sumKib = 0;
  for (const [id] of family(pid)) {
    try {
      const line = readFileSync(`/proc/${id}/status`, 'latin1').match(/VmRSS:\s+(\d+)/);
      if (line !== null) sumKib += Number(line[1]);
    } catch {
      // it ended while we looked
    }
  }
  return sumKib;
}
