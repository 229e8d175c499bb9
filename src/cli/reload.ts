import type { Logger } from '../observe/log.ts';
import type { ServeCommand } from './args.ts';
import { loadServe } from './load.ts';
import type { RunningGateway, World } from './ports.ts';

/** What a reload is done with. */
export interface ReloadDeps {
  readonly world: World;
  readonly gateway: Pick<RunningGateway, 'reload'>;
  readonly log: Logger;
}

/** Reads the file anew and takes it over, one time after the other; a bad file changes nothing and each problem is logged. */
async function reload(command: ServeCommand, { world, gateway, log }: ReloadDeps): Promise<void> {
  const result = await loadServe(command, world);
  if ('lines' in result) {
    for (const problem of result.lines) log.error({ problem }, `reload refused, nothing is changed: ${problem}`);
    return;
  }
  try {
    const { live, restart } = await gateway.reload(result.config);
    log.info({ live, restart }, live.length + restart.length === 0 ? 'reload: nothing has changed' : 'reload: done');
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    log.error({ problem }, `reload refused, nothing is changed: ${problem}`);
  }
}

/**
 * Reloads the file of `--config` at each SIGHUP and change, until the returned function is called. Without a file a SIGHUP
 * is only logged.
 */
export function followConfig(command: ServeCommand, deps: ReloadDeps): () => void {
  const { world, log } = deps;
  const file = command.config;
  if (file === null) return world.onHangup(() => log.info({}, 'SIGHUP: there is no config file to reload'));
  let running = false;
  let again = false;
  const run = async (): Promise<void> => {
    again = running;
    if (running) return;
    running = true;
    await reload(command, deps);
    running = false;
    if (again) await run();
  };
  const start = (): void => void run();
  const stops = [world.onHangup(start), world.onFileChange(file, start, (reason) => log.warn({ file, reason }, 'the config file is not watched; SIGHUP reloads it'))];
  return () => {
    for (const stop of stops) stop();
  };
}
