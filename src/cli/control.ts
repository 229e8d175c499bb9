import type { ControlCommand } from './args.ts';
import { runUntilSignal } from './lifetime.ts';
import { loadServe, problemLines } from './load.ts';
import { EXIT, type Parts, type World } from './ports.ts';

/** Runs the controller until a signal; its nodes run on. With `--dry-run` it looks once and prints what it would do. */
export async function control(command: ControlCommand, world: World, parts: Pick<Parts, 'startController' | 'planOnce' | 'createLogger'>): Promise<number> {
  const result = await loadServe({ name: 'serve', config: command.config, upstreams: [], overrides: {} }, world);
  if ('problems' in result) {
    for (const line of problemLines(result)) world.err(line);
    return EXIT.failed;
  }
  const { config } = result;
  if (config.nodes.length === 0) {
    world.err(`tidegate: ${command.config} has no nodes to keep`);
    return EXIT.failed;
  }
  const log = parts.createLogger({ level: command.dryRun ? 'silent' : config.log.level });
  if (command.dryRun) {
    for (const line of await parts.planOnce(config, { log })) world.out(line);
    return EXIT.ok;
  }
  return runUntilSignal(world, () => parts.startController(config, { log }));
}
