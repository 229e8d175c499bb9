import { availableParallelism } from 'node:os';
import type { Config } from '../../config/schema.ts';
import { Crew } from './crew.ts';
import type { CrewParts } from './crew.ts';

/** What the program gives for its workers. */
export interface CrewDeps {
  readonly workerFile?: string;
  readonly onWorkerDied?: CrewParts['onWorkerDied'];
}

/** Processes that are to serve; 1 = one does everything. */
export const crewSize = ({ server }: Config): number => (server.workers === 'auto' ? availableParallelism() : server.workers);

/**
 * The crew that the config asks for, not started; null where one process does everything.
 * @throws Error where several workers are wanted and cannot be
 */
export function makeCrew(config: Config, deps: CrewDeps, parts: Pick<CrewParts, 'world' | 'metrics'>): Crew | null {
  const wanted = config.server.workers;
  const workers = crewSize(config);
  if (workers === 1) return null;
  const { workerFile: file, onWorkerDied = () => undefined } = deps;
  if (file === undefined) throw new Error(`server.workers is ${wanted}, and there is no program for the workers to run; set it to 1`);
  return new Crew(config, workers, { ...parts, file, onWorkerDied });
}
