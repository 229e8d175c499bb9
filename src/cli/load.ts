import { configFromValue, type ParseResult, parseConfig } from '../config/parse.ts';
import { problemText } from '../config/problem.ts';
import { withNodeUpstreams } from '../config/nodeUpstreams.ts';
import type { Config } from '../config/schema.ts';
import type { Unfit, Wanted } from '../config/wanted.ts';
import type { Overrides, ServeCommand } from './args.ts';
import type { World } from './ports.ts';

/** The lines to print instead of a configuration, one per problem. */
export const problemLines = ({ place, problems }: Unfit): readonly string[] => problems.map((problem) => problemText(problem, place));

const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'not permitted',
  EISDIR: 'is a directory',
};

const loaded = (result: ParseResult, place: string): Wanted =>
  result.ok ? { config: withNodeUpstreams(result.config) } : { place, problems: result.problems };

/** Reads and checks a file. */
export async function loadFile(file: string, world: World): Promise<Wanted> {
  let text: string;
  try {
    text = await world.readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    return { place: file, problems: [{ path: '', line: 0, column: 0, message: `cannot be read: ${CAUSES[code] ?? code}` }] };
  }
  return loaded(parseConfig(text, world.env), file);
}

const override = (config: Config, { host, port, adminPort, engine }: Overrides): unknown => ({
  ...config,
  server: {
    ...config.server,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(engine === undefined ? {} : { engine }),
  },
  admin: { ...config.admin, ...(adminPort === undefined ? {} : { port: adminPort }) },
});

/** The same configuration with options of the command line over it, checked again. */
export function withOverrides(base: Wanted, overrides: Overrides): Wanted {
  return 'config' in base ? loaded(configFromValue(override(base.config, overrides)), 'command line') : base;
}

/** One chain called `default` over these nodes; its id is asked from them. */
const fromUpstreams = (urls: readonly string[]): Wanted => {
  const upstreams = urls.map((http, index) => ({ name: `upstream-${index + 1}`, http }));
  return loaded(configFromValue({ chains: [{ name: 'default', upstreams }] }), 'command line');
};

/** The configuration that a `serve` command line means. */
export async function loadServe({ config, upstreams, overrides }: ServeCommand, world: World): Promise<Wanted> {
  return withOverrides(config === null ? fromUpstreams(upstreams) : await loadFile(config, world), overrides);
}
