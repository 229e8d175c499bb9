// Calls over WebSocket in a closed loop, from a process of its own.
import { fileURLToPath } from 'node:url';
import { output } from '../procs.mjs';

const driver = fileURLToPath(new URL('socketDriver.mjs', import.meta.url));

/** @returns { answered, durationUs, p50Us, p99Us } @throws when an answer was wrong, or a connection ended */
export async function socketLoop(peer, call, { connections, seconds }) {
  const { port, pathname } = new URL(peer.url);
  const set = { port: Number(port), path: pathname, body: call.body(1), due: call.answer(1), connections, seconds };
  const told = JSON.parse(await output(process.execPath, [driver, JSON.stringify(set)]));
  if (told.failed > 0 || told.answered === 0) throw new Error(`${peer.name}: ${told.answered} answers, ${told.failed} failed: ${told.faults.join(' | ')}`);
  return told;
}
