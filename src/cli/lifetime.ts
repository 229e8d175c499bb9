import { EXIT, type Running, type World } from './ports.ts';

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `first` and `second` resolve at the first and second signal. */
const signals = (world: World): { first: Promise<void>; second: Promise<void>; stop: () => void } => {
  const waiting: (() => void)[] = [];
  const next = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  const [first, second] = [next(), next()];
  const stop = world.onSignal(() => waiting.shift()?.());
  return { first, second, stop };
};

/**
 * Starts something, keeps it until a first signal, closes it.
 * @returns EXIT.ok once closed; EXIT.failed when it cannot start or close, or at a second signal at once
 */
export async function runUntilSignal(world: World, start: () => Promise<Running>): Promise<number> {
  const { first, second, stop } = signals(world);
  const ended = (async (): Promise<number> => {
    const running = await start();
    await first;
    await running.close();
    return EXIT.ok;
  })().catch((error: unknown) => {
    world.err(`tidegate: ${text(error)}`);
    return EXIT.failed;
  });
  try {
    return await Promise.race([ended, second.then(() => EXIT.failed)]);
  } finally {
    stop();
  }
}
