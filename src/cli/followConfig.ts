import type { Logger } from '../observe/log.ts';
import type { ServeCommand } from './args.ts';
import type { RunningGateway, World } from './ports.ts';

/** What a reload is done with. */
export interface ReloadDeps {
  readonly world: World;
  readonly gateway: Pick<RunningGateway, 'reloadFile'>;
  readonly log: Logger;
}

/**
 * Reloads the file of `--config` at each SIGHUP and change, until the returned function is called. Without a file a SIGHUP
 * is only logged. Signs that come during a reload make one more, not one each.
 */
export function followConfig(command: ServeCommand, { world, gateway, log }: ReloadDeps): () => void {
  const file = command.config;
  if (file === null) return world.onHangup(() => log.info({}, 'SIGHUP: there is no config file to reload'));
  let running = false;
  let again = false;
  const run = async (): Promise<void> => {
    again = running;
    if (running) return;
    running = true;
    await gateway.reloadFile();
    running = false;
    if (again) await run();
  };
  const start = (): void => void run();
  const stops = [world.onHangup(start), world.onFileChange(file, start, (reason) => log.warn({ file, reason }, 'the config file is not watched; SIGHUP reloads it'))];
  return () => {
    for (const stop of stops) stop();
  };
}
