import type { Logger } from '../../src/observe/log.ts';

/** A log that nobody reads. */
export function silentLog(): Logger {
  const log: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => log };
  return log;
}
