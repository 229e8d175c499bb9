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
}

/** Texts of the operating system that every program passes on. */
const COMMON: readonly SignRule[] = [
  { pattern: /address already in use|EADDRINUSE|bind: Only one usage/i, sign: 'portInUse' },
  { pattern: /no space left on device|ENOSPC|disk quota exceeded/i, sign: 'diskFull' },
  { pattern: /unexpected argument|unknown (?:flag|option|argument)|unrecognized (?:option|argument)|flag provided but not defined|invalid value .* for |permission denied|failed to (?:parse|load|read) config/i, sign: 'badConfig' },
];

const port = (number: number | undefined): string => String(number ?? 0);

/** anvil of Foundry: texts of version 1.7. */
const anvil: ClientKind = {
  command: 'anvil',
  args: ({ httpPort }) => ['--host', '127.0.0.1', '--port', port(httpPort)],
  stopSignal: 'SIGTERM',
  signs: [{ pattern: /failed to (?:load|parse|read|deserialize) .*state|invalid .*state file|expected value at line/i, sign: 'dataCorrupt' }, ...COMMON],
};

/** go-ethereum: texts of its core, ethdb and node packages, 1.13 to 1.16. */
const geth: ClientKind = {
  command: 'geth',
  args: ({ dataDir, httpPort, wsPort }) => ['--datadir', dataDir, '--http', '--http.port', port(httpPort), ...(wsPort === undefined ? [] : ['--ws', '--ws.port', port(wsPort)])],
  // it writes its caches and journals at SIGINT and SIGTERM alike
  stopSignal: 'SIGINT',
  signs: [
    { pattern: /database (?:contains incompatible genesis|corrupt)|corrupt(?:ed|ion)? (?:block|manifest|sst|table|database|data)|missing trie node|checksum mismatch|leveldb: .*corrupt|pebble: .*corrupt|gap in the chain between ancients/i, sign: 'dataCorrupt' },
    { pattern: /datadir already used by another process|resource temporarily unavailable/i, sign: 'portInUse' },
    { pattern: /incompatible (?:fork|genesis)|needs? (?:a )?(?:newer|update).*version|unsupported fork/i, sign: 'versionTooOld' },
    ...COMMON,
  ],
};

const command: ClientKind = { command: null, args: () => [], stopSignal: 'SIGTERM', signs: [{ pattern: /database .*corrupt|corrupt(?:ed|ion) .*(?:database|data|block)|checksum mismatch/i, sign: 'dataCorrupt' }, ...COMMON] };

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
