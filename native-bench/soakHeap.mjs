// What lives in the soak's process when all garbage is gone (soakProbe.mjs), asked now and then, and what may be said of it:
// resident memory also grows by what the collector has not bothered to give back, live memory only by what something holds.
import { join } from 'node:path';

/** From here on: compiled code, pools and the first windows of blocks are there. */
const FROM_MS = 20_000;
const EVERY_MS = 8000;
/** What live memory may grow by between the first and the last looks: windows of blocks and events still fill. Caches are told apart. */
const MOST_GROWN_BYTES = 6 * 2 ** 20;
/** Looks that the two ends are the median of. */
const ENDS = 3;

const middle = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const mib = (bytes) => Math.round(bytes / 2 ** 18) / 4;

/** Sends questions to a probed child. Resolves with null when it has ended. */
function asker(child) {
  const waiting = new Map();
  let last = 0;
  child.on('message', ({ id, ...said }) => {
    waiting.get(id)?.(said);
    waiting.delete(id);
  });
  child.once('exit', () => {
    for (const done of waiting.values()) done(null);
  });
  return (question) =>
    new Promise((done) => {
      const id = ++last;
      waiting.set(id, done);
      child.send({ ...question, id }, (error) => error && done(null));
    });
}

/** Sizes of caches, whose limits are in the configuration: they may fill up. */
async function cached(admin) {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return [...text.matchAll(/^tidegate_(?:cache|logs_stored)_bytes\S* (\d+)$/gm)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}

/**
 * Watches the live memory of a probed child.
 * @param folder where snapshots of the heap are written at the first look and at the end, to be compared; undefined = none
 */
export function watchHeap(child, admin, folder) {
  const ask = asker(child);
  const looks = [];
  let lookedMs = 0;
  const look = async (snapshot) => {
    const cacheBytes = await cached(admin);
    const said = await ask(folder === undefined || snapshot === null ? {} : { snapshot: join(folder, `${snapshot}.heapsnapshot`) });
    if (said !== null) looks.push({ liveBytes: said.heapUsed + said.external - cacheBytes, cacheBytes });
  };
  return {
    /** Looks where it is time to; `ranMs` since the start. */
    async turn(ranMs) {
      if (ranMs < FROM_MS || ranMs - lookedMs < EVERY_MS) return;
      lookedMs = ranMs;
      await look(looks.length === 0 ? 'first' : null);
    },
    /** Figures, and what is wrong with them (null = nothing). */
    async end() {
      await look('last');
      const first = looks.slice(0, ENDS);
      const last = looks.slice(-ENDS);
      const [early, late] = [first, last].map((some) => middle(some.map(({ liveBytes }) => liveBytes)) ?? 0);
      const figures = { looks: looks.length, liveMiB: [mib(early), mib(late)], cacheMiB: mib(looks.at(-1)?.cacheBytes ?? 0) };
      if (looks.length < 2 * ENDS) return { figures, fault: null };
      return { figures, fault: late - early > MOST_GROWN_BYTES ? `live memory grew from ${mib(early)} to ${mib(late)} MiB beside the caches: something is held; compare two snapshots with --heap FOLDER` : null };
    },
  };
}
