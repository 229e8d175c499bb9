import type { Problem } from './problem.ts';
import type { Config } from './schema.ts';

/** What is wrong with a configuration that was asked for. */
export interface Unfit {
  /** Where it came from, such as the name of its file. */
  readonly place: string;
  /** At least one. */
  readonly problems: readonly Problem[];
}

/** A configuration as it was asked for, or everything that is wrong with it. */
export type Wanted = { readonly config: Config } | Unfit;

/** Reads the configuration that a process was started with anew. Never rejects. */
export type ReadConfig = () => Promise<Wanted>;
