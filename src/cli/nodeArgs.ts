import { nearest } from '../config/suggest.ts';
import { changing, one, Wrong } from './given.ts';
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

/** Understands `tidegate node …`. @throws Wrong */
export function nodeArgs(given: Given): NodeCommand {
  const [word = '', node = ''] = given.words;
  const action = ACTIONS.find((known) => known === word);
  if (action === undefined) {
    const meant = nearest(word, ACTIONS);
    throw new Wrong(`unknown action ${JSON.stringify(word)}${meant === undefined ? `: one of ${ACTIONS.join(', ')}` : ` (did you mean ${meant}?)`}`);
  }
  return { name: 'node', action, node, chain: one(given, 'chain') ?? null, body: bodyOf(action, node, given), ...changing(given) };
}
