// Proves before and after the measuring that a peer gives the right answers: a fast wrong one is worth nothing.
import { readFileSync } from 'node:fs';

const CALLS = 64;
const body = readFileSync(new URL('call.lua', import.meta.url), 'utf8').match(/wrk\.body = '(.*)'/)[1];

async function ask(peer, id) {
  const call = JSON.stringify({ ...JSON.parse(body), id });
  const response = await fetch(peer.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: call });
  const text = await response.text();
  const answer = response.ok ? JSON.parse(text) : {};
  // The raw engine answers fixed bytes: it is a ceiling, no gateway.
  const expectedId = peer.fixedId ?? id;
  if (answer.id !== expectedId || !/^0x0+$/.test(answer.result)) {
    throw new Error(`${peer.name} answered call ${id} with status ${response.status}: ${text.slice(0, 200)}`);
  }
}

/** Calls at once, each with an id of its own. Throws on the first wrong answer. */
export async function checkAnswers(peer) {
  await Promise.all(Array.from({ length: CALLS }, (_, i) => ask(peer, i + 1)));
}
