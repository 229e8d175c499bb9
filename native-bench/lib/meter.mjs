// What happens to a process while something runs.
import { rssKib } from '../procs.mjs';

const EVERY_MS = 50;

/** Most resident memory of a process, in MiB, while `work` runs. @returns { mostMib, told } */
export async function mostMemory(pid, work) {
  let most = rssKib(pid);
  const timer = setInterval(() => {
    most = Math.max(most, rssKib(pid));
  }, EVERY_MS);
  try {
    const told = await work();
    return { mostMib: most / 1024, told };
  } finally {
    clearInterval(timer);
  }
}
