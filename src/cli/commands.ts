/** One option of a command line. */
export interface OptionSpec {
  /** What stands after it, for the help text; absent for a switch. */
  readonly value?: string;
  readonly multiple?: boolean;
  readonly text: string;
}

/** One command: what the parser takes and what the help text says. */
export interface CommandSpec {
  readonly summary: string;
  readonly usage: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Names of the words after the command. */
  readonly words: readonly string[];
  /** Least number of these words. */
  readonly leastWords: number;
  readonly notes: readonly string[];
}

const PORTS: Readonly<Record<string, OptionSpec>> = {
  port: { value: 'N', text: 'client port, 8545 by default; 0 picks a free one' },
  'admin-port': { value: 'N', text: 'admin port, 9545 by default; 0 picks a free one' },
};

const ADMIN: Readonly<Record<string, OptionSpec>> = {
  admin: { value: 'URL', text: 'admin port of the gateway, http://127.0.0.1:9545 by default' },
  json: { text: 'print the answer of the admin port as it is' },
};

const CHANGE: Readonly<Record<string, OptionSpec>> = {
  ...ADMIN,
  'token-file': { value: 'FILE', text: 'file with the token of the admin port, .tidegate/admin.token by default' },
};

const NODE: Readonly<Record<string, OptionSpec>> = {
  'dry-run': { text: 'only say what would be done, and what holds it back' },
  yes: { text: 'do not ask before a stop, restart or removal' },
  'no-wait': { text: 'do not watch until it is done' },
  file: { value: 'FILE', text: 'add: YAML or JSON of a node as below `nodes` in the configuration' },
  chain: { value: 'NAME', text: 'add: its chain' },
  client: { value: 'KIND', text: 'add: anvil, geth or command' },
  driver: { value: 'KIND', text: 'add: process or docker' },
  upstream: { value: 'NAME', text: 'add: the upstream that it backs, its own name by default' },
  'http-port': { value: 'N', text: 'add: port of its JSON-RPC over HTTP' },
  'ws-port': { value: 'N', text: 'add: port of its JSON-RPC over WebSocket, where it is another one' },
  'data-dir': { value: 'DIR', text: 'add: its data' },
  command: { value: 'PATH', text: 'add: the program' },
  arg: { value: 'TEXT', multiple: true, text: 'add: one more argument of the program' },
  image: { value: 'NAME', text: 'add: image, for the docker driver' },
  'delete-data': { text: 'remove: its data too' },
  admin: { value: 'URL', text: 'admin port of the controller, http://127.0.0.1:9546 by default' },
  json: { text: 'print the answer of the admin port as it is' },
  'token-file': { value: 'FILE', text: 'file with the token of that port, .tidegate/controller.token by default' },
};

const SNAPSHOT: Readonly<Record<string, OptionSpec>> = {
  config: { value: 'FILE', text: 'configuration; its sections on snapshots count' },
  chain: { value: 'NAME', text: 'name of the chain; the first of the configuration by default' },
  store: { value: 'DIR', text: 'the store, .tidegate/snapshots by default' },
  key: { value: 'FILE', text: 'signing key, made where it is missing' },
  trust: { value: 'FILE', text: 'keys whose manifests count' },
  data: { value: 'DIR', text: 'create: the data directory; may be left out for --client anvil, which is asked for its state' },
  rpc: { value: 'URL', text: 'create: JSON-RPC of the node, which is asked for blocks, receipts and proofs' },
  facts: { value: 'FILE', text: 'create: JSON with chain id, genesis, version and head, where no node can be asked' },
  client: { value: 'KIND', text: 'create: geth, reth, erigon, nethermind, besu, ethereumjs, anvil or other' },
  source: { value: 'NAME', text: 'create: name of the node; it is not asked to confirm its own snapshot' },
  kind: { value: 'KIND', text: 'create: full, incremental or auto, which is what is due' },
  'if-due': { text: 'create: do nothing unless one is due' },
  'from-block': { value: 'N', text: 'create: lowest block whose header is captured, 0 by default' },
  'no-verify': { text: 'create: do not verify' },
  offline: { value: 'DIR', text: 'verify: an exported snapshot instead of one in the store' },
  checkpoint: { value: 'N:HASH', multiple: true, text: 'create, verify: a block known to be of the chain' },
  peer: { value: 'URL', multiple: true, text: 'create, verify: JSON-RPC of a node that is asked for its block at the head' },
  quorum: { value: 'N', text: 'create, verify: how many of these must have the same, 2 by default' },
  'read-only': { text: 'restore: files that nobody may write to, for mounting' },
  'proof-only': { text: 'export: blocks, receipts and proofs without the data' },
  node: { value: 'NAME', text: 'create, drill: a node that a running controller keeps, which does it then' },
  admin: { value: 'URL', text: 'create, drill with --node: admin port of the controller, http://127.0.0.1:9546 by default' },
  'token-file': { value: 'FILE', text: 'create, drill with --node: file with the token of that port, .tidegate/controller.token by default' },
  'dry-run': { text: 'prune: only say what would go' },
  json: { text: 'print JSON' },
};

const plain = (summary: string, usage: string): CommandSpec => ({
  summary,
  usage: [usage],
  options: {},
  words: [],
  leastWords: 0,
  notes: [],
});

/** Every command, in the order of the help text. */
export const COMMANDS = {
  serve: {
    summary: 'run the gateway in front of nodes',
    usage: ['tidegate serve --config FILE [options]', 'tidegate serve --upstream URL [--upstream URL …] [options]'],
    options: {
      config: { value: 'FILE', text: 'configuration in YAML; `tidegate check FILE` validates one' },
      upstream: {
        value: 'URL',
        multiple: true,
        text: 'JSON-RPC over HTTP of a node; repeat it for more nodes of the same chain',
      },
      ...PORTS,
      host: { value: 'ADDRESS', text: 'address that the client port binds to, 127.0.0.1 by default' },
      engine: { value: 'NAME', text: 'auto, uws or node' },
    },
    words: [],
    leastWords: 0,
    notes: [
      'Options win over the file. The first SIGINT or SIGTERM stops accepting and finishes the calls under way;',
      'a second one ends the process at once.',
    ],
  },
  control: {
    summary: 'keep the nodes of the configuration running and well',
    usage: ['tidegate control --config FILE [options]'],
    options: {
      config: { value: 'FILE', text: 'configuration in YAML, with the nodes below `nodes`' },
      'dry-run': { text: 'look once, print what would be done and why, and do nothing' },
    },
    words: [],
    leastWords: 0,
    notes: ['The nodes run on when it ends, and are found again when it starts.'],
  },
  up: {
    summary: 'run the gateway and the controller as two processes of one tree',
    usage: ['tidegate up --config FILE'],
    options: { config: { value: 'FILE', text: 'configuration in YAML' } },
    words: [],
    leastWords: 0,
    notes: ['One that ends unasked is started again. SIGHUP lets the gateway read its file anew.'],
  },
  demo: {
    summary: 'run three local nodes and the gateway in front of them',
    usage: ['tidegate demo [options]'],
    options: { ...PORTS, 'block-time': { value: 'TIME', text: 'time between blocks, such as 500ms; 2s by default' } },
    words: [],
    leastWords: 0,
    notes: ['The nodes are for development only: their keys are public. Ctrl-C ends everything that was started.'],
  },
  check: {
    summary: 'validate a configuration and print it with its defaults',
    usage: ['tidegate check FILE'],
    options: {},
    words: ['FILE'],
    leastWords: 1,
    notes: ['Header values and keys in URLs are masked. Each problem is one line: file:line:column path: message.'],
  },
  status: {
    summary: 'show the chains and nodes of a running gateway',
    usage: ['tidegate status [options]'],
    options: { ...ADMIN, watch: { text: 'show it anew each second, until Ctrl-C' } },
    words: [],
    leastWords: 0,
    notes: [],
  },
  explain: {
    summary: 'say what a running gateway would do with a call, without sending it',
    usage: ['tidegate explain --method NAME [options]'],
    options: {
      method: { value: 'NAME', text: 'method of the call' },
      params: { value: 'JSON', text: 'its params as the client spells them; they decide which node comes first' },
      chain: { value: 'NAME', text: 'name of the chain; the first one by default' },
      client: { value: 'TEXT', text: 'address or key of the client, where calls are bound to it' },
      ...ADMIN,
    },
    words: [],
    leastWords: 0,
    notes: [],
  },
  reload: {
    summary: 'let a running gateway read its config file anew',
    usage: ['tidegate reload [options]'],
    options: CHANGE,
    words: [],
    leastWords: 0,
    notes: ['A file with problems changes nothing; each problem is one line: file:line:column path: message.'],
  },
  upstream: {
    summary: 'change the upstreams of a running gateway',
    usage: [
      'tidegate upstream add NAME --http URL [--ws URL] [--weight N] [--tier N] [options]',
      'tidegate upstream remove|cordon|uncordon NAME [options]',
      'tidegate upstream weight NAME N [options]',
    ],
    options: {
      chain: { value: 'NAME', text: 'name of the chain; may be left out where there is only one' },
      http: { value: 'URL', text: 'JSON-RPC over HTTP of the new upstream' },
      ws: { value: 'URL', text: 'JSON-RPC over WebSocket of the new upstream' },
      weight: { value: 'N', text: 'share of traffic of the new upstream, 100 by default' },
      tier: { value: 'N', text: 'tier of the new upstream, 0 by default' },
      ...CHANGE,
    },
    words: ['ACTION', 'NAME', 'WEIGHT'],
    leastWords: 1,
    notes: ['Nothing is written to the config file: its next reload undoes add and remove, a restart everything.'],
  },
  node: {
    summary: 'see and steer the nodes that a controller keeps',
    usage: [
      'tidegate node list | explain NAME | journal [NAME]',
      'tidegate node add NAME --chain NAME --http-port N --data-dir DIR [options]',
      'tidegate node add --file FILE [options]',
      'tidegate node remove NAME [--delete-data] [options]',
      'tidegate node start|stop|restart|pause|resume NAME [options]',
    ],
    options: NODE,
    words: ['ACTION', 'NAME'],
    leastWords: 1,
    notes: ['What is added and removed is kept by the controller over its restarts; the configuration stays as it is.'],
  },
  snapshot: {
    summary: 'take, verify, restore, list, prune and move snapshots of nodes',
    usage: [
      'tidegate snapshot create --rpc URL --data DIR --client KIND [options]',
      'tidegate snapshot create --node NAME [--kind KIND] [--admin URL] [--token-file FILE]',
      'tidegate snapshot drill [ID] --node NAME [--admin URL] [--token-file FILE]',
      'tidegate snapshot list|prune|keygen [options]',
      'tidegate snapshot show ID [options]',
      'tidegate snapshot verify [ID] [options]',
      'tidegate snapshot verify --offline DIR [options]',
      'tidegate snapshot restore ID DIR [--read-only] [options]',
      'tidegate snapshot export ID DIR [--proof-only] [options]',
      'tidegate snapshot import DIR [options]',
    ],
    options: SNAPSHOT,
    words: ['ACTION', 'ID or DIR', 'DIR'],
    leastWords: 1,
    notes: [
      'Nothing may write to the data directory meanwhile: stop the node, or take a copy that the file system made at one instant.',
      'Exit code 3: nothing speaks against the snapshot, but it is not proven as far as the configuration asks.',
    ],
  },
  schema: plain('print the JSON Schema of the configuration, for editors', 'tidegate schema'),
  version: plain('print the version', 'tidegate version'),
  help: { ...plain('print this, or the help of a command', 'tidegate help [COMMAND]'), words: ['COMMAND'] },
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof COMMANDS;

/** Narrows a word to the name of a command. */
export function isCommand(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}
