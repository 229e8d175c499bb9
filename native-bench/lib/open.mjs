// Calls at a fixed rate from a process of its own: latency as callers with a schedule of their own see it.
import { fileURLToPath } from 'node:url';
import { build } from 'hdr-histogram-js';
import { run } from '../procs.mjs';
import { openProgram } from './openProgram.mjs';

const driver = fileURLToPath(new URL('openDriver.mjs', import.meta.url));
const SEED = 1;
const MAX_US = 60e6;

const requestOf = ({ host, pathname }, body) =>
  `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

function start(set) {
  const program = openProgram();
  if (program === null) return run(process.execPath, [driver, JSON.stringify(set)], {}, 'pipe');
  const { port, connections, rate, seconds, timeoutMs, seed, request, due } = set;
  return run(program, [port, connections, rate, seconds, timeoutMs, seed, request, due].map(String), {}, 'pipe');
}

/** What a line of the driver says of a phase. */
function phaseOf(line) {
  const [failed, lateUs, ...times] = line.split(' ').map(Number);
  const told = build({ lowestDiscernibleValue: 1, highestTrackableValue: MAX_US, numberOfSignificantValueDigits: 3 });
  for (const us of times) told.recordValue(Math.min(MAX_US, us));
  const [p50Us, p90Us, p99Us, p999Us] = [50, 90, 99, 99.9].map((percent) => told.getValueAtPercentile(percent));
  return { answered: times.length, failed, lateUs, p50Us, p90Us, p99Us, p999Us, maxUs: times.length === 0 ? 0 : told.maxValue };
}

function read(text) {
  const lines = text.trimEnd().split('\n');
  const faults = lines.filter((line) => line.startsWith('fault ')).map((line) => line.slice('fault '.length));
  return { phases: lines.filter((line) => !line.startsWith('fault ')).map(phaseOf), faults };
}

/**
 * Starts to call. The latencies of a phase are of calls that were due in it; `lateUs` is the median of how late calls left though a
 * connection was free, which is the driver's own doing.
 * @param options { rate, seconds, connections = 64, timeoutMs = 10000 }
 * @returns { phase(): begins the next one, done: promise of { phases, faults } }
 */
export function openLoop(peer, call, { rate, seconds, connections = 64, timeoutMs = 10_000 }) {
  const url = new URL(peer.url);
  const child = start({ port: Number(url.port), request: requestOf(url, call.body(1)), due: call.answer(1), connections, rate, seconds, timeoutMs, seed: SEED });
  let text = '';
  child.stdout.on('data', (data) => (text += data));
  const done = new Promise((resolve, reject) => {
    child.once('close', (code) => (code === 0 ? resolve(read(text)) : reject(new Error(`the driver ended with ${code}: ${child.tail}`))));
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
