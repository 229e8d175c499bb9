import type { GatewayWorld } from './node.ts';

/** How often a chain is asked whether its last call has ended. */
const LOOK_MS = 25;

/** Resolves when nobody can be working for what no path leads to any more: after the time for a body, at most `graceMs` after that. */
export async function untilIdle(running: { readonly size: number }, times: { readonly bodyMs: number; readonly graceMs: number }, world: GatewayWorld): Promise<void> {
  // requests whose body is still on its way, and the entries of batches, are answered yet
  await until(() => false, times.bodyMs, world);
  await until(() => running.size === 0, times.graceMs, world);
}

/** Resolves when it holds, or after `limitMs`. */
function until(holds: () => boolean, limitMs: number, { clock, timers }: GatewayWorld): Promise<void> {
  const endMs = clock.nowMs() + limitMs;
  return new Promise((resolve) => {
    const look = (): void => {
      if (holds() || clock.nowMs() >= endMs) resolve();
      else timers.after(LOOK_MS, look);
    };
    look();
  });
}
