/** What is known of a client's data directory. */
export interface ClientLayout {
  /** Files that hold keys or the node's identity. */
  readonly secret: RegExp;
  /** Files that the node makes anew: locks, sockets, peers, pools, logs. */
  readonly transient: RegExp;
  /** Each must match the path of some file. */
  readonly needed: readonly { readonly path: RegExp; readonly what: string }[];
  /** Whether its large files are never written again, so that a mounted snapshot stays small. */
  readonly isMountable: boolean;
}

const COMMON_SECRET = /(^|\/)(keystore\/|nodekey|jwt(secret)?(\.hex)?$|jwt-secret|[^/]*\.pem$|[^/]*\.key$|id_(rsa|ed25519|ecdsa)|\.env$)/i;
const COMMON_TRANSIENT = /(^|\/)(F?LOCK|LOCK|lock\.mdb|mdbx\.lck|[^/]*\.(ipc|sock|pid|tmp)|\.tidegate-[^/]*)$/;

const any = (...patterns: readonly RegExp[]): RegExp => new RegExp(patterns.map(({ source }) => source).join('|'), 'i');

const layout = (secret: RegExp | null, transient: RegExp | null, needed: ClientLayout['needed'], isMountable: boolean): ClientLayout => ({
  secret: secret === null ? COMMON_SECRET : any(COMMON_SECRET, secret),
  transient: transient === null ? COMMON_TRANSIENT : any(COMMON_TRANSIENT, transient),
  needed,
  isMountable,
});

/**
 * Clients by kind. Sources of the names: go-ethereum `node/config.go`, reth `crates/node/core/src/dirs.rs`, and the
 * documentation of erigon, nethermind and besu on what a data directory holds.
 */
const CLIENTS: Readonly<Record<string, ClientLayout>> = {
  geth: layout(
    null,
    /(^|\/)(nodes|blobpool)\/|(^|\/)transactions\.rlp$/,
    [
      { path: /(^|\/)chaindata\/(CURRENT|MANIFEST-\d+|marker\..+)$/, what: 'the manifest of its chaindata' },
      { path: /(^|\/)chaindata\/.+\.(sst|ldb|log)$/, what: 'a table of its chaindata' },
    ],
    true,
  ),
  reth: layout(
    /(^|\/)discovery-secret$/,
    /(^|\/)(blobstore|invalid_block_hooks|logs)\/|(^|\/)(known-peers\.json|txpool-transactions-backup\.rlp)$/,
    [
      { path: /(^|\/)db\/mdbx\.dat$/, what: 'db/mdbx.dat' },
      { path: /(^|\/)static_files\/.+/, what: 'a static file' },
    ],
    false,
  ),
  erigon: layout(null, /(^|\/)(nodes|txpool|temp)\//, [{ path: /(^|\/)chaindata\/mdbx\.dat$/, what: 'chaindata/mdbx.dat' }], false),
  nethermind: layout(/(^|\/)node\.key\.plain$/, /(^|\/)logs\//, [{ path: /\.sst$/, what: 'a table' }], true),
  besu: layout(/(^|\/)key(\.pub)?$/, /(^|\/)logs\/|(^|\/)besu\.(ports|networks)$/, [{ path: /(^|\/)database\/.+/, what: 'its database' }], true),
  ethereumjs: layout(null, null, [{ path: /(^|\/)CURRENT$/, what: 'the manifest of a LevelDB' }], true),
  anvil: layout(null, null, [{ path: /\.json$/, what: 'a state file' }], false),
};

const OTHER: ClientLayout = layout(null, null, [], false);

/** Layout of a client; of one that is not known, only what holds for all. */
export function clientLayout(kind: string): ClientLayout {
  return CLIENTS[kind] ?? OTHER;
}

/** Why a file stays out of a snapshot; null when it belongs in. */
export function leftOut({ secret, transient }: ClientLayout, path: string): 'secret' | 'transient' | null {
  if (secret.test(path)) return 'secret';
  return transient.test(path) ? 'transient' : null;
}

/** What is wrong with the files of a snapshot for its client: secrets, locks, parts that are missing. */
export function layoutProblems(kind: string, paths: readonly string[]): string[] {
  const known = clientLayout(kind);
  const unwanted = paths.flatMap((path) => {
    const why = leftOut(known, path);
    return why === null ? [] : [`file ${path}: ${why === 'secret' ? 'holds a secret by its name' : 'is a file that the node makes anew'}`];
  });
  const missing = known.needed.filter(({ path }) => !paths.some((one) => path.test(one))).map(({ what }) => `${what} is missing`);
  return [...unwanted, ...missing];
}
