import { nearest } from '../config/suggest.ts';
import { asking, one, whole, Wrong } from './given.ts';
import type { Changing, Given } from './given.ts';

const ACTIONS = ['list', 'explain', 'journal', 'add', 'remove', 'start', 'stop', 'restart', 'pause', 'resume'] as const;
export const KEEPER_ADMIN = 'http://127.0.0.1:9546';
export const KEEPER_TOKEN_FILE = '.tidegate/controller.token';
const READS: ReadonlySet<string> = new Set(['list', 'explain', 'journal']);

/** Options of `add` by the member of a node that they set. */
const TEXTS = { chain: 'chain', client: 'client', driver: 'driver', upstream: 'upstream', 'data-dir': 'dataDir', command: 'command', image: 'image' } as const;
const PORTS = { 'http-port': 'httpPort', 'ws-port': 'wsPort' } as const;
const OF_ADD = [...Object.keys(TEXTS), ...Object.keys(PORTS), 'arg', 'file'];

/** One look at, or change of, nodes that a controller keeps. */
export interface NodeCommand extends Changing {
  readonly name: 'node';
  readonly action: (typeof ACTIONS)[number];
  /** Null = all, or named in `file`. */
  readonly node: string | null;
  /** Do not ask. */
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** Watch until it is done. */
  readonly wait: boolean;
  /** A node as in the configuration, for `add`. */
  readonly file: string | null;
  /** What is sent with it. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** A node of `add` as its options tell it. */
function added(given: Given, name: string | null): Readonly<Record<string, unknown>> {
  const texts = Object.entries(TEXTS).map(([option, key]) => [key, one(given, option)] as const);
  const ports = Object.entries(PORTS).map(([option, key]) => {
    const text = one(given, option);
    return [key, text === undefined ? undefined : whole(text, `--${option}`)] as const;
  });
  const args = given.values.get('arg');
  const all = [['name', name ?? undefined] as const, ...texts, ...ports, ['args', args] as const];
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

function bodyOf(action: NodeCommand['action'], node: string | null, given: Given): Readonly<Record<string, unknown>> {
  const stray = action === 'add' ? undefined : OF_ADD.find((option) => given.values.has(option));
  if (stray !== undefined) throw new Wrong(`--${stray} goes with add only`);
  if (given.values.has('delete-data') && action !== 'remove') throw new Wrong('--delete-data goes with remove only');
  if (action === 'remove') return given.values.has('delete-data') ? { deleteData: true } : {};
  if (action !== 'add') return {};
  if (!given.values.has('file')) for (const option of ['chain', 'http-port', 'data-dir']) if (!given.values.has(option)) throw new Wrong(`give --${option}, or --file FILE`);
  return added(given, node);
}

/** Understands `tidegate node …`. @throws Wrong */
export function nodeArgs(given: Given): NodeCommand {
  const [word = '', node = null, extra] = given.words;
  const action = ACTIONS.find((known) => known === word);
  if (action === undefined) {
    const meant = nearest(word, ACTIONS);
    throw new Wrong(`unknown action ${JSON.stringify(word)}${meant === undefined ? `: one of ${ACTIONS.join(', ')}` : ` (did you mean ${meant}?)`}`);
  }
  const file = one(given, 'file') ?? null;
  const isOptional = action === 'list' || action === 'journal' || (action === 'add' && file !== null);
  if (node === null && !isOptional) throw new Wrong('NAME is missing');
  if (extra !== undefined || (node !== null && action === 'list')) throw new Wrong(`unexpected argument ${JSON.stringify(extra ?? node)}`);
  const dryRun = given.values.has('dry-run');
  if (dryRun && READS.has(action)) throw new Wrong(`--dry-run does not go with ${action}`);
  const body = bodyOf(action, node, given);
  const asked = { ...asking(given, KEEPER_ADMIN), tokenFile: one(given, 'token-file') ?? KEEPER_TOKEN_FILE };
  return { name: 'node', action, node, yes: given.values.has('yes'), dryRun, wait: !given.values.has('no-wait') && !asked.json, file, body, ...asked };
}
