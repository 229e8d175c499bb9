// Calls at a fixed rate from a process of its own: latency as callers with a schedule of their own see it.
import { fileURLToPath } from 'node:url';
import { run } from '../procs.mjs';

const driver = fileURLToPath(new URL('openDriver.mjs', import.meta.url));

/**
 * Starts to call. The latencies of a phase are of calls that were due in it.
 * @param options { rate, seconds, connections = 64, timeoutMs = 10000 }
 * @returns { phase(): begins the next one, done: promise of { phases, faults } }
 */
export function openLoop(peer, call, { rate, seconds, connections = 64, timeoutMs = 10_000 }) {
  const { port, pathname } = new URL(peer.url);
  const set = { port: Number(port), path: pathname, body: call.body(1), due: call.answer(1), connections, rate, seconds, timeoutMs };
  const child = run(process.execPath, [driver, JSON.stringify(set)], {}, 'pipe');
  let text = '';
  child.stdout.on('data', (data) => (text += data));
  const done = new Promise((resolve, reject) => {
    child.once('close', (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`the driver ended with ${code}: ${child.tail}`))));
  });
  done.catch(() => undefined);
  return { phase: () => void child.stdin.write('\n'), done };
}

/** The only phase of an open loop in which nothing may fail. @throws when a call failed */
export async function openRound(peer, call, options) {
  const { phases, faults } = await openLoop(peer, call, options).done;
  const [phase] = phases;
  if (phase.failed > 0 || phase.answered === 0) throw new Error(`${peer.name}: ${phase.answered} answers, ${phase.failed} failed: ${faults.join(' | ')}`);
  return phase;
}
