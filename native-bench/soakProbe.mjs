// Preloaded into the process that the soak watches (`--import`): answers over IPC what its heap holds when all garbage is gone.
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

/** What finalizers let go of is garbage of the next round. */
const ROUNDS = 3;

// worker threads are preloaded with it too
if (isMainThread) {
  process.on('message', ({ id, snapshot }) => {
    for (let round = 0; round < ROUNDS; round++) collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    if (snapshot !== undefined) writeHeapSnapshot(snapshot);
    process.send({ id, heapUsed, external, rss });
  });
  // it must not keep the process alive
  process.channel?.unref();
}
