import { effectiveText } from '../config/effective.ts';
import { loadFile, problemLines } from './load.ts';
import { EXIT, type World } from './ports.ts';

/** Prints the effective configuration, or every problem on a line of its own. */
export async function check(file: string, world: World): Promise<number> {
  const result = await loadFile(file, world);
  if ('config' in result) {
    world.out(effectiveText(result.config).trimEnd());
    return EXIT.ok;
  }
  for (const line of problemLines(result)) world.out(line);
  return EXIT.failed;
}
