import type { ServeCommand } from './args.ts';
import { runUntilSignal } from './lifetime.ts';
import { loadServe, problemLines } from './load.ts';
import { followConfig } from './followConfig.ts';
import { EXIT, type Parts, type World } from './ports.ts';

/** Runs the gateway until a signal. */
export async function serve(
  command: ServeCommand,
  world: World,
  parts: Pick<Parts, 'startGateway' | 'createLogger'>,
): Promise<number> {
  const result = await loadServe(command, world);
  if ('problems' in result) {
    for (const line of problemLines(result)) world.err(line);
    return EXIT.failed;
  }
  const { config } = result;
  const log = parts.createLogger({ level: config.log.level });
  return runUntilSignal(world, async () => {
    const gateway = await parts.startGateway(config, { log, ...(command.config === null ? {} : { readConfig: () => loadServe(command, world) }) });
    const unfollow = followConfig(command, { world, gateway, log });
    return {
      close: () => {
        unfollow();
        return gateway.close();
      },
    };
  });
}
