// Proves that a peer gives the right answers: a fast wrong one is worth nothing.

const SAMPLE = 32;
const SAMPLE_BYTES = 8 << 20;

const keysSorted = (value) => (Array.isArray(value) ? value.map(keysSorted) : Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))));

/** Whether a text is the answer; entries of an object may come in any order. */
const isDue = (text, due) => {
  if (text === due) return true;
  try {
    return JSON.stringify(keysSorted(JSON.parse(text))) === JSON.stringify(keysSorted(JSON.parse(due)));
  } catch {
    return false;
  }
};

async function ask(peer, call, id) {
  const response = await fetch(peer.url, { method: 'POST', headers: { 'content-type': 'application/json', ...peer.headers }, body: call.body(id), signal: AbortSignal.timeout(20_000) });
  const text = await response.text();
  if (!response.ok || !isDue(text, call.answer(id))) {
    throw new Error(`${peer.name} answered call ${id} with status ${response.status}: ${text.slice(0, 200)}`);
  }
  return response.headers;
}

/**
 * Calls at once, each with an id of its own, compared in full. Throws on the first wrong answer.
 * @returns the headers of the answers
 */
export function checkAnswers(peer, call) {
  const count = Math.max(2, Math.min(SAMPLE, Math.floor(SAMPLE_BYTES / call.answer(1).length)));
  return Promise.all(Array.from({ length: count }, (_, i) => ask(peer, call, peer.fixedId ?? i + 1)));
}
