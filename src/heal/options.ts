/** How the controller heals; the names are those of `controller.healing` in config/reference.yaml. Times in ms. */
export interface HealOptions {
  /** After a start, how long a node may take to answer. */
  readonly startGraceMs: number;
  /** No answer for this long: it hangs. */
  readonly unresponsiveMs: number;
  /** Its head stands still for this long while the chain moves: it stalls. At least two block times count. */
  readonly stallMs: number;
  /** Blocks behind the trusted head from which a node lags. */
  readonly lagBlocks: number;
  /** Runs shorter than this are crashes of a loop. */
  readonly shortRunMs: number;
  /** That many short runs in a row make a loop. */
  readonly crashLoopRuns: number;
  /** The chain stands still for this long: it has halted. */
  readonly chainHaltedMs: number;
  readonly minFreeBytes: number;
  /** A verdict must hold this long before a step follows; a process that is gone waits for nothing. */
  readonly confirmMs: number;
  /** Facts older than this are not acted on. */
  readonly maxFactsAgeMs: number;
  readonly drainTimeoutMs: number;
  /** A guard that holds a step back for longer is told to a human. */
  readonly patienceMs: number;
  /** First wait before trying the same again; doubles with each attempt, with full jitter above half. */
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** Attempts of all rungs per node and 24 h. */
  readonly maxAttemptsPerDay: number;
  /** Nodes of a chain that may be out by our own doing at once. */
  readonly maxUnavailable: number;
  /** Nodes of a chain that must stay in service. */
  readonly minInService: number;
  /** Share of ill nodes, in percent, from which the storm brake holds. */
  readonly stormPercent: number;
  readonly probation: {
    /** Good looks in a row. */
    readonly samples: number;
    /** New blocks that it must take by itself. */
    readonly newBlocks: number;
    readonly timeoutMs: number;
  };
  readonly ramp: { readonly percents: readonly number[]; readonly stepMs: number };
}
