import type { ChainConfig, HealthConfig } from '../config/schema.ts';
import type { PaceOptions } from '../health/options.ts';
import type { AttemptOptions } from '../route/attemptPort.ts';

type Tree = Record<string, unknown>;

/** Overwrites values section by section, so that whoever holds a section sees the new ones. */
function overwrite(target: Tree, source: Tree): void {
  for (const [key, value] of Object.entries(source)) {
    const old = target[key];
    if (typeof value === 'object' && value !== null && typeof old === 'object' && old !== null) overwrite(old as Tree, value as Tree);
    else target[key] = value;
  }
}

function partsOf({ health, routing }: ChainConfig): { health: HealthConfig; pace: PaceOptions; attempt: AttemptOptions } {
  const { maxAttempts, nullRetry, hedge, attemptTimeout, tierReturnMs } = routing;
  const attempt = { maxAttempts, nullRetry, maxHedges: hedge.enabled ? hedge.maxHedges : 0 };
  return structuredClone({ health, pace: { attemptTimeout, hedge, tierReturnMs }, attempt });
}

/**
 * Options that the judge and the attempts of a chain hold on to and read at each use. `take` changes them in place, so
 * a reload reaches every holder without starting anything over.
 */
export class ChainOptions {
  readonly health: HealthConfig;
  readonly pace: PaceOptions;
  readonly attempt: AttemptOptions;

  constructor(config: ChainConfig) {
    const { health, pace, attempt } = partsOf(config);
    this.health = health;
    this.pace = pace;
    this.attempt = attempt;
  }

  take(config: ChainConfig): void {
    const { health, pace, attempt } = this;
    overwrite({ health, pace, attempt }, partsOf(config));
  }
}
