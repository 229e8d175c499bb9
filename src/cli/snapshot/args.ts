import { nearest } from '../../config/suggest.ts';
import { asking, type Changing, type Given, one, Wrong } from '../given.ts';
import { KEEPER_ADMIN, KEEPER_TOKEN_FILE } from '../nodeArgs.ts';

const ACTIONS = ['create', 'list', 'show', 'verify', 'restore', 'prune', 'export', 'import', 'drill', 'keygen'] as const;
type Action = (typeof ACTIONS)[number];

/** Options of what a running controller does. */
const KEPT = ['node', 'admin', 'token-file'];

/** Words and options that each action takes beside the common ones. */
const TAKES: Readonly<Record<Action, { readonly words: readonly string[]; readonly least: number; readonly options: readonly string[] }>> = {
  create: { words: [], least: 0, options: ['data', 'rpc', 'facts', 'client', 'kind', 'if-due', 'from-block', 'source', 'no-verify', 'checkpoint', 'peer', 'quorum', ...KEPT] },
  list: { words: [], least: 0, options: [] },
  show: { words: ['ID'], least: 1, options: [] },
  verify: { words: ['ID'], least: 0, options: ['offline', 'checkpoint', 'peer', 'quorum'] },
  restore: { words: ['ID', 'DIR'], least: 2, options: ['read-only'] },
  prune: { words: [], least: 0, options: ['dry-run'] },
  export: { words: ['ID', 'DIR'], least: 2, options: ['proof-only'] },
  import: { words: ['DIR'], least: 1, options: [] },
  drill: { words: ['ID'], least: 0, options: KEPT },
  keygen: { words: [], least: 0, options: [] },
};
const COMMON = ['config', 'store', 'key', 'trust', 'chain', 'json'];

/** Where a block is known to be another's or one's own. */
export interface CheckpointOption {
  readonly number: number;
  readonly hash: string;
}

/** `tidegate snapshot …`, understood. */
export interface SnapshotCommand {
  readonly name: 'snapshot';
  readonly action: Action;
  readonly words: readonly string[];
  /** One text for each option that takes one and was given. */
  readonly texts: ReadonlyMap<string, string>;
  readonly switches: ReadonlySet<string>;
  readonly checkpoints: readonly CheckpointOption[];
  readonly peers: readonly string[];
  /** null = that of the configuration. */
  readonly quorum: number | null;
  readonly fromBlock: number;
  readonly kind: 'auto' | 'full' | 'incremental';
  /** What a running controller is asked to do with a node that it keeps; null = it is done here. */
  readonly kept: (Changing & { readonly node: string }) | null;
}

const SWITCHES = ['json', 'read-only', 'if-due', 'no-verify', 'dry-run', 'proof-only'];

const whole = (given: Given, name: string): number | null => {
  const text = one(given, name);
  if (text === undefined) return null;
  if (!/^\d{1,15}$/.test(text)) throw new Wrong(`--${name} must be a whole number`);
  return Number(text);
};

const url = (text: string, name: string): string => {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) throw new Wrong(`--${name} must be a URL such as http://127.0.0.1:8545`);
  return text;
};

const checkpoint = (text: string): CheckpointOption => {
  const [, number, hash] = /^(\d{1,15}):(0x[0-9a-fA-F]{64})$/.exec(text) ?? [];
  if (number === undefined || hash === undefined) throw new Wrong('--checkpoint must be a block number, a colon and its hash');
  return { number: Number(number), hash: hash.toLowerCase() };
};

const kindOf = (given: Given): SnapshotCommand['kind'] => {
  const kind = one(given, 'kind') ?? 'auto';
  if (kind === 'auto' || kind === 'full' || kind === 'incremental') return kind;
  throw new Wrong('--kind must be auto, full or incremental');
};

const actionOf = (word: string): Action => {
  const action = ACTIONS.find((known) => known === word);
  if (action !== undefined) return action;
  const meant = nearest(word, ACTIONS);
  throw new Wrong(`unknown action ${JSON.stringify(word)}${meant === undefined ? `: one of ${ACTIONS.join(', ')}` : ` (did you mean ${meant}?)`}`);
};

const checkCreate = (given: Given): void => {
  const [rpc, facts, data, client] = ['rpc', 'facts', 'data', 'client'].map((name) => one(given, name));
  if (rpc === undefined && facts === undefined) throw new Wrong('give --rpc URL or --facts FILE, or --node NAME of a node that a controller keeps');
  if (rpc !== undefined && facts !== undefined) throw new Wrong('give --rpc or --facts, not both');
  if (data === undefined && !(client === 'anvil' && rpc !== undefined)) throw new Wrong('give --data DIR');
};

const NOT_KEPT = ['data', 'rpc', 'facts', 'client', 'if-due', 'from-block', 'source', 'no-verify', 'checkpoint', 'peer', 'quorum'];

const keptOf = (given: Given, action: Action): SnapshotCommand['kept'] => {
  const node = one(given, 'node');
  if (action === 'drill' && node === undefined) throw new Wrong('give --node NAME: the kept node beside which it is restored');
  if (node === undefined) return null;
  const stray = NOT_KEPT.find((name) => given.values.has(name));
  if (stray !== undefined) throw new Wrong(`--${stray} does not go with --node: the controller has its own`);
  return { node, ...asking(given, KEEPER_ADMIN), tokenFile: one(given, 'token-file') ?? KEEPER_TOKEN_FILE };
};

/** Understands `tidegate snapshot …`. @throws Wrong */
export function snapshotArgs(given: Given): SnapshotCommand {
  const [word = '', ...words] = given.words;
  const action = actionOf(word);
  const takes = TAKES[action];
  const stray = [...given.values.keys()].find((name) => !COMMON.includes(name) && !takes.options.includes(name));
  if (stray !== undefined) throw new Wrong(`--${stray} does not go with ${action}`);
  if (words.length < takes.least) throw new Wrong(`${takes.words[words.length]} is missing`);
  if (words.length > takes.words.length) throw new Wrong(`unexpected argument ${JSON.stringify(words[takes.words.length])}`);
  const kept = keptOf(given, action);
  if (action === 'create' && kept === null) checkCreate(given);
  const texts = [...given.values].flatMap(([name, [text]]) => (SWITCHES.includes(name) || text === undefined ? [] : [[name, text] as const]));
  const rpc = one(given, 'rpc');
  if (rpc !== undefined) url(rpc, 'rpc');
  return {
    name: 'snapshot',
    action,
    words,
    texts: new Map(texts),
    switches: new Set([...given.values.keys()].filter((name) => SWITCHES.includes(name))),
    checkpoints: (given.values.get('checkpoint') ?? []).map(checkpoint),
    peers: (given.values.get('peer') ?? []).map((text) => url(text, 'peer')),
    quorum: whole(given, 'quorum'),
    fromBlock: whole(given, 'from-block') ?? 0,
    kind: kindOf(given),
    kept,
  };
}
