// wrk in a closed loop: each connection sends its next call when the answer to the last is there.
import { fileURLToPath } from 'node:url';
import { file } from '../peers.mjs';
import { has, output } from '../procs.mjs';

const script = fileURLToPath(new URL('call.lua', import.meta.url));
const NAMES = ['requests', 'bytes', 'durationUs', 'p50Us', 'p99Us', 'p999Us', 'maxUs', 'badStatus', 'socketErrors', 'checked', 'wrong'];

/**
 * @param isChecked compares every answer in full, which costs wrk itself some time
 * @param headers of the requests
 * @returns counts and latencies in microseconds
 * @throws when one answer was wrong, or none came
 */
export async function wrk(peer, call, { connections, seconds, isChecked = false, headers = {} }) {
  if (has('wrk') === null) throw new Error('needs wrk (Debian package wrk)');
  const env = {
    BENCH_BODY_FILE: file('wrk-body', call.body(1)),
    BENCH_DUE_FILE: isChecked ? file('wrk-due', call.answer(1)) : '',
    BENCH_HEADERS: Object.entries({ ...peer.headers, ...headers }).map(([name, value]) => `${name}: ${value}`).join('\n'),
  };
  const text = await output('wrk', ['-t1', `-c${connections}`, `-d${Math.max(1, Math.round(seconds))}s`, '--timeout', '10s', '--latency', '-s', script, peer.url], env);
  const line = text.match(/RESULT ((?:\d+ ){11})(.*)/);
  if (line === null) throw new Error(`wrk gave no result for ${peer.name}: ${text}`);
  const figures = Object.fromEntries(line[1].trim().split(' ').map((n, i) => [NAMES[i], Number(n)]));
  const { requests, badStatus, socketErrors, wrong } = figures;
  if (requests === 0 || badStatus > 0 || socketErrors > 0 || wrong > 0) {
    throw new Error(`${peer.name}: ${requests} answers, ${badStatus} of a bad status, ${socketErrors} socket errors, ${wrong} wrong: ${line[2]}`);
  }
  return figures;
}
