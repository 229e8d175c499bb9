import type { NodeConfig } from '../config/schema.ts';
import type { LogSign } from '../heal/facts.ts';
import type { RunSpec } from '../driver/port.ts';

/** A pattern of a log line and what it gives away. The first that fits a line counts. */
export interface SignRule {
  readonly pattern: RegExp;
  readonly sign: LogSign;
}

/** What is known of one kind of node. */
export interface ClientKind {
  /** Program where the config names none; null = it must. */
  readonly command: string | null;
  args(node: NodeConfig): readonly string[];
  readonly stopSignal: NodeJS.Signals;
  readonly signs: readonly SignRule[];
  /** Its state is taken from it while it runs, by this method of JSON-RPC: hex of gzip of what it loads. Null = its directory is copied. */
  readonly dump: string | null;
  /** Arguments for a run on a copy, apart from everything, out of those of a live run; null = the node must say. */
  readonly trial: ((node: NodeConfig, args: readonly string[]) => readonly string[]) | null;
}

/** Texts of the operating system that every program passes on. */
const COMMON: readonly SignRule[] = [
  { pattern: /address already in use|EADDRINUSE|bind: Only one usage/i, sign: 'portInUse' },
  { pattern: /no space left on device|ENOSPC|disk quota exceeded/i, sign: 'diskFull' },
  { pattern: /cannot be started: .*\b(?:ENOENT|EACCES|ENOEXEC|ENOTDIR)\b|unexpected argument|unknown (?:flag|option|argument)|unrecognized (?:option|argument)|flag provided but not defined|invalid value .* for |permission denied|failed to (?:parse|load|read) config/i, sign: 'badConfig' },
];

const port = (number: number | undefined): string => String(number ?? 0);

/** Arguments without some options and their values. */
const without = (args: readonly string[], options: readonly string[]): string[] =>
  args.filter((arg, i) => !options.includes(arg) && !(options.includes(args[i - 1] ?? '') && !arg.startsWith('-')) && !options.some((option) => arg.startsWith(`${option}=`)));

/** anvil of Foundry: texts of version 1.7. */
const anvil: ClientKind = {
  command: 'anvil',
  args: ({ httpPort }) => ['--host', '127.0.0.1', '--port', port(httpPort)],
  stopSignal: 'SIGTERM',
  signs: [{ pattern: /failed to (?:load|parse|read|deserialize) .*state|invalid .*state file|expected value at line/i, sign: 'dataCorrupt' }, ...COMMON],
  dump: 'anvil_dumpState',
  trial: (node, args) => {
    const quiet = without(args, ['--block-time', '-b', '--ipc']);
    return quiet.some((arg) => /^--(load-)?state(=|$)/.test(arg)) ? quiet : [...quiet, '--load-state', `${node.dataDir}/state.json`];
  },
};

/** go-ethereum: texts of its core, ethdb and node packages, 1.13 to 1.16. */
const geth: ClientKind = {
  command: 'geth',
  args: ({ dataDir, httpPort, wsPort }) => ['--datadir', dataDir, '--http', '--http.port', port(httpPort), '--ws', '--ws.port', port(wsPort ?? httpPort)],
  // it writes its caches and journals at SIGINT and SIGTERM alike
  stopSignal: 'SIGINT',
  signs: [
    { pattern: /datadir already used by another process|resource temporarily unavailable/i, sign: 'portInUse' },
    { pattern: /incompatible (?:fork|genesis)|needs? (?:a )?(?:newer|update).*version|unsupported fork|format major version .* no longer supported/i, sign: 'versionTooOld' },
    { pattern: /database corrupt|corrupt(?:ed|ion)? (?:block|manifest|sst|table|database|data)|missing trie node|checksum mismatch|leveldb: .*corrupt|pebble: .*corrupt|malformed manifest|error when replaying WAL|could not open database: open .*no such file|gap in the chain between ancients/i, sign: 'dataCorrupt' },
    ...COMMON,
  ],
  dump: null,
  // of options given twice the last counts
  trial: (_, args) => [...args, '--http.addr', '127.0.0.1', '--port', '0', '--ws.addr', '127.0.0.1', '--authrpc.addr', '127.0.0.1', '--authrpc.port', '0', '--nodiscover', '--maxpeers', '0', '--nat', 'none', '--ipcdisable', '--metrics=false', '--pprof=false', ...(args.some((arg) => /^--dev\.period/.test(arg)) ? ['--dev.period', '0'] : [])],
};

const command: ClientKind = { command: null, args: () => [], stopSignal: 'SIGTERM', signs: [{ pattern: /database .*corrupt|corrupt(?:ed|ion) .*(?:database|data|block)|checksum mismatch/i, sign: 'dataCorrupt' }, ...COMMON], dump: null, trial: null };

const KINDS: Readonly<Record<NodeConfig['client'], ClientKind>> = { anvil, geth, command };

export function kindOf(node: NodeConfig): ClientKind {
  return KINDS[node.client];
}

/** Fills `{name}`, `{dataDir}`, `{httpPort}` and `{wsPort}` in; other braces stay. */
function fill(text: string, node: NodeConfig): string {
  return text.replace(/\{(name|dataDir|httpPort|wsPort)\}/g, (_, key: 'name' | 'dataDir' | 'httpPort' | 'wsPort') => String(node[key] ?? node.httpPort));
}

/** How a node is run. */
export function runSpecOf(node: NodeConfig): RunSpec {
  const kind = kindOf(node);
  const { memoryBytes, cpus } = node.limits;
  return {
    command: node.command ?? kind.command ?? '',
    args: [...kind.args(node), ...node.args.map((text) => fill(text, node))],
    env: node.env,
    dataDir: node.dataDir,
    stopSignal: node.stopSignal === 'auto' ? kind.stopSignal : node.stopSignal,
    ...(node.image === undefined ? {} : { image: node.image }),
    limits: { ...(memoryBytes === 0 ? {} : { memoryBytes }), ...(cpus === 0 ? {} : { cpus }) },
  };
}

/** How a node is run for a trial: on a copy of its data, on a port of its own, apart from the network. */
export function trialSpecOf(node: NodeConfig, dataDir: string, httpPort: number): RunSpec {
  const { wsPort: _wsPort, ...rest } = node;
  const trial: NodeConfig = { ...rest, dataDir, httpPort };
  const { trial: isolated } = kindOf(node);
  const spec = runSpecOf(trial);
  const own = node.trialArgs.map((text) => fill(text, trial));
  return { ...spec, args: own.length > 0 ? own : (isolated?.(trial, spec.args) ?? spec.args) };
}

/** Kind of client as snapshots name it; of a command of one's own only what holds for all clients is known. */
export function snapshotKindOf({ client }: Pick<NodeConfig, 'client'>): string {
  return client === 'command' ? 'other' : client;
}
