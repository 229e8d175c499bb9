import { parseArgs } from 'node:util';
import { nearest } from '../config/suggest.ts';
import { DURATION_PATTERN, parseDurationMs } from '../config/units.ts';
import { COMMANDS, type CommandName, type CommandSpec, isCommand } from './commands.ts';
import { asking, changing, one, Wrong } from './given.ts';
import type { Asking, Changing, Given } from './given.ts';
import { nodeArgs } from './nodeArgs.ts';
import type { NodeCommand } from './nodeArgs.ts';
import { type SnapshotCommand, snapshotArgs } from './snapshot/args.ts';
import { upstreamArgs } from './upstreamArgs.ts';
import type { UpstreamCommand } from './upstreamArgs.ts';

/** What `serve` and `demo` set over the configuration. */
export interface Overrides {
  readonly host?: string;
  readonly port?: number;
  readonly adminPort?: number;
  readonly engine?: string;
}

export interface ServeCommand {
  readonly name: 'serve';
  /** Exactly one of `config` and `upstreams` is given. */
  readonly config: string | null;
  readonly upstreams: readonly string[];
  readonly overrides: Overrides;
}

export interface DemoCommand {
  readonly name: 'demo';
  readonly overrides: Overrides;
  readonly blockTimeMs: number;
}

export interface StatusCommand extends Asking {
  readonly name: 'status';
  readonly watch: boolean;
}

export interface ExplainCommand extends Asking {
  readonly name: 'explain';
  readonly query: Readonly<Record<string, string>>;
}

export interface ReloadCommand extends Changing {
  readonly name: 'reload';
}

export interface ControlCommand {
  readonly name: 'control';
  readonly config: string;
  readonly dryRun: boolean;
}

export interface UpCommand {
  readonly name: 'up';
  readonly config: string;
}

type AskCommand = StatusCommand | ExplainCommand | ReloadCommand | NodeCommand | UpstreamCommand;

/** A command line, understood. */
export type Command =
  | ServeCommand
  | DemoCommand
  | ControlCommand
  | UpCommand
  | { readonly name: 'check'; readonly file: string }
  | AskCommand
  | SnapshotCommand
  | { readonly name: 'schema' }
  | { readonly name: 'version' }
  | { readonly name: 'help'; readonly topic: CommandName | null };

/** A command line that is wrong. */
export interface UsageError {
  readonly usage: string;
  readonly topic: CommandName | null;
}

const DEFAULT_BLOCK_TIME_MS = 2000;

const hint = (word: string, known: readonly string[], prefix = ''): string => {
  const meant = nearest(word, known);
  return meant === undefined ? '' : ` (did you mean ${prefix}${meant}?)`;
};

/** Sorts the words behind a command into options and the rest. */
const sort = (args: readonly string[], spec: CommandSpec): Given => {
  const names = Object.keys(spec.options);
  const options = Object.fromEntries(
    Object.entries(spec.options).map(([name, { value }]) => [
      name,
      { type: value === undefined ? 'boolean' : 'string', multiple: true } as const,
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, string[]>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const option = spec.options[token.name];
    if (option === undefined || !Object.hasOwn(spec.options, token.name))
      throw new Wrong(`unknown option ${token.rawName}${hint(token.name, names, '--')}`);
    const given = values.get(token.name) ?? [];
    if (option.value === undefined) {
      if (token.value !== undefined) throw new Wrong(`${token.rawName} takes no value`);
      values.set(token.name, ['']);
      continue;
    }
    if (token.value === undefined || token.value === '')
      throw new Wrong(`${token.rawName} needs a value (${option.value})`);
    if (given.length > 0 && option.multiple !== true) throw new Wrong(`${token.rawName} is given twice`);
    values.set(token.name, [...given, token.value]);
  }
  if (words.length < spec.leastWords) throw new Wrong(`${spec.words[words.length]} is missing`);
  const extra = words[spec.words.length];
  if (extra !== undefined) throw new Wrong(`unexpected argument ${JSON.stringify(extra)}`);
  return { values, words };
};

const port = (given: Given, name: string): number | undefined => {
  const text = one(given, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new Wrong(`--${name} must be a whole number from 0 to 65535`);
  return Number(text);
};

const overrides = (given: Given): Overrides => {
  const all = {
    host: one(given, 'host'),
    port: port(given, 'port'),
    adminPort: port(given, 'admin-port'),
    engine: one(given, 'engine'),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
};

const serve = (given: Given): ServeCommand => {
  const config = one(given, 'config') ?? null;
  const upstreams = given.values.get('upstream') ?? [];
  if (config === null && upstreams.length === 0) throw new Wrong('give --config FILE or --upstream URL');
  if (config !== null && upstreams.length > 0) throw new Wrong('give --config or --upstream, not both');
  return { name: 'serve', config, upstreams, overrides: overrides(given) };
};

const configFile = (given: Given): string => {
  const config = one(given, 'config');
  if (config === undefined) throw new Wrong('give --config FILE');
  return config;
};

const demo = (given: Given): DemoCommand => {
  const text = one(given, 'block-time');
  const blockTimeMs =
    text === undefined ? DEFAULT_BLOCK_TIME_MS : DURATION_PATTERN.test(text) ? parseDurationMs(text, 1000) : 0;
  if (blockTimeMs < 100 || blockTimeMs > 3_600_000 || !Number.isInteger(blockTimeMs)) {
    throw new Wrong('--block-time must be a time from 100ms to 1h, such as 500ms or 2s');
  }
  return { name: 'demo', overrides: overrides(given), blockTimeMs };
};

const explain = (given: Given): ExplainCommand => {
  const names = ['method', 'params', 'chain', 'client'];
  const query = Object.fromEntries(names.flatMap((name) => given.values.get(name)?.map((value) => [name, value]) ?? []));
  if (query.method === undefined) throw new Wrong('give --method NAME');
  return { name: 'explain', query, ...asking(given) };
};

const help = ([topic]: readonly string[]): Command => {
  if (topic === undefined) return { name: 'help', topic: null };
  if (isCommand(topic)) return { name: 'help', topic };
  throw new Wrong(`unknown command ${JSON.stringify(topic)}${hint(topic, Object.keys(COMMANDS))}`);
};

const build = (name: CommandName, given: Given): Command => {
  if (name === 'serve') return serve(given);
  if (name === 'demo') return demo(given);
  if (name === 'control') return { name, config: configFile(given), dryRun: given.values.has('dry-run') };
  if (name === 'up') return { name, config: configFile(given) };
  if (name === 'status') return { name, watch: given.values.has('watch'), ...asking(given) };
  if (name === 'explain') return explain(given);
  if (name === 'reload') return { name, ...changing(given) };
  if (name === 'snapshot') return snapshotArgs(given);
  if (name === 'node') return nodeArgs(given);
  if (name === 'upstream') return upstreamArgs(given);
  if (name === 'check') return { name, file: given.words[0] ?? '' };
  return name === 'help' ? help(given.words) : { name };
};

const isHelpFlag = (word: string): boolean => word === '--help' || word === '-h';

/**
 * Understands a command line.
 * @param args the words behind the program's name
 */
export function readArgs(args: readonly string[]): Command | UsageError {
  const [first = 'help', ...rest] = args;
  if (isHelpFlag(first)) return { name: 'help', topic: null };
  if (first === '--version' || first === '-v') return { name: 'version' };
  if (!isCommand(first))
    return { usage: `unknown command ${JSON.stringify(first)}${hint(first, Object.keys(COMMANDS))}`, topic: null };
  if (rest.some(isHelpFlag)) return { name: 'help', topic: first };
  try {
    return build(first, sort(rest, COMMANDS[first]));
  } catch (error) {
    if (error instanceof Wrong) return { usage: error.message, topic: first };
    throw error;
  }
}
