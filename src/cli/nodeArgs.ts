import { nearest } from '../config/suggest.ts';
import { asking, changing, one, Wrong } from './given.ts';
import type { Changing, Given } from './given.ts';

const ACTIONS = ['add', 'remove', 'cordon', 'uncordon', 'weight'] as const;
type Action = (typeof ACTIONS)[number];

/** One change of one node of a running gateway. */
export interface NodeCommand extends Changing {
  readonly name: 'node';
  readonly action: Action;
  readonly node: string;
  /** Null = the only one. */
  readonly chain: string | null;
  /** What is sent with it. */
  readonly body: Readonly<Record<string, unknown>>;
}

const KEEPER_ACTIONS = ['list', 'explain', 'journal', 'start', 'stop', 'restart', 'pause', 'resume'] as const;
export const KEEPER_ADMIN = 'http://127.0.0.1:9546';
export const KEEPER_TOKEN_FILE = '.tidegate/controller.token';

/** One look at, or change of, nodes that a controller keeps. */
export interface KeeperCommand extends Changing {
  readonly name: 'keeper';
  readonly action: (typeof KEEPER_ACTIONS)[number];
  /** Null = all. */
  readonly node: string | null;
  /** Do not ask. */
  readonly yes: boolean;
}

const whole = (text: string, what: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new Wrong(`${what} must be a whole number`);
  return Number(text);
};

const added = (given: Given, name: string): Readonly<Record<string, unknown>> => {
  const [http, ws, weight, tier] = ['http', 'ws', 'weight', 'tier'].map((option) => one(given, option));
  if (http === undefined) throw new Wrong('give --http URL');
  return {
    name,
    http,
    ...(ws === undefined ? {} : { ws }),
    ...(weight === undefined ? {} : { weight: whole(weight, '--weight') }),
    ...(tier === undefined ? {} : { tier: whole(tier, '--tier') }),
  };
};

const bodyOf = (action: Action, node: string, given: Given): Readonly<Record<string, unknown>> => {
  const stray = action === 'add' ? undefined : ['http', 'ws', 'weight', 'tier'].find((option) => given.values.has(option));
  if (stray !== undefined) throw new Wrong(`--${stray} goes with add only`);
  const weight = given.words[2];
  if (action === 'weight') {
    if (weight === undefined) throw new Wrong('WEIGHT is missing');
    return { weight: whole(weight, 'WEIGHT') };
  }
  if (weight !== undefined) throw new Wrong(`unexpected argument ${JSON.stringify(weight)}`);
  return action === 'add' ? added(given, node) : {};
};

/** What goes to the controller; null = the gateway's. */
function keeperArgs(given: Given): KeeperCommand | null {
  const [word = '', node = null, extra] = given.words;
  const action = KEEPER_ACTIONS.find((known) => known === word);
  if (action === undefined) return null;
  const stray = ['http', 'ws', 'weight', 'tier', 'chain'].find((option) => given.values.has(option));
  if (stray !== undefined) throw new Wrong(`--${stray} does not go with ${action}`);
  const many = action === 'list' || action === 'journal';
  if (node === null && !many) throw new Wrong('NAME is missing');
  if (extra !== undefined || (node !== null && action === 'list')) throw new Wrong(`unexpected argument ${JSON.stringify(extra ?? node)}`);
  return { name: 'keeper', action, node, yes: given.values.has('yes'), ...asking(given, KEEPER_ADMIN), tokenFile: one(given, 'token-file') ?? KEEPER_TOKEN_FILE };
}

/** Understands `tidegate node …`. @throws Wrong */
export function nodeArgs(given: Given): NodeCommand | KeeperCommand {
  const kept = keeperArgs(given);
  if (kept !== null) return kept;
  const [word = '', node = ''] = given.words;
  const action = ACTIONS.find((known) => known === word);
  if (action === undefined) {
    const all = [...ACTIONS, ...KEEPER_ACTIONS];
    const meant = nearest(word, all);
    throw new Wrong(`unknown action ${JSON.stringify(word)}${meant === undefined ? `: one of ${all.join(', ')}` : ` (did you mean ${meant}?)`}`);
  }
  if (node === '') throw new Wrong('NAME is missing');
  return { name: 'node', action, node, chain: one(given, 'chain') ?? null, body: bodyOf(action, node, given), ...changing(given) };
}
