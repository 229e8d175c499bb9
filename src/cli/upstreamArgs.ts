import { nearest } from '../config/suggest.ts';
import { changing, one, whole, Wrong } from './given.ts';
import type { Changing, Given } from './given.ts';

const ACTIONS = ['add', 'remove', 'cordon', 'uncordon', 'weight'] as const;
type Action = (typeof ACTIONS)[number];

/** One change of one upstream of a running gateway. */
export interface UpstreamCommand extends Changing {
  readonly name: 'upstream';
  readonly action: Action;
  readonly upstream: string;
  /** Null = the only one. */
  readonly chain: string | null;
  /** What is sent with it. */
  readonly body: Readonly<Record<string, unknown>>;
}

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

/** Understands `tidegate upstream …`. @throws Wrong */
export function upstreamArgs(given: Given): UpstreamCommand {
  const [word = '', upstream = ''] = given.words;
  const action = ACTIONS.find((known) => known === word);
  if (action === undefined) {
    const meant = nearest(word, ACTIONS);
    throw new Wrong(`unknown action ${JSON.stringify(word)}${meant === undefined ? `: one of ${ACTIONS.join(', ')}` : ` (did you mean ${meant}?)`}`);
  }
  if (upstream === '') throw new Wrong('NAME is missing');
  return { name: 'upstream', action, upstream, chain: one(given, 'chain') ?? null, body: bodyOf(action, upstream, given), ...changing(given) };
}
