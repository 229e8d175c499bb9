import { deniedMask } from '../chain/access.ts';
import type { Catalog } from '../chain/catalog.ts';
import { CAPABILITY_BITS } from '../chain/method.ts';
import type { Capability } from '../chain/method.ts';
import type { UpstreamConfig } from '../config/schema.ts';
import type { JudgedUpstream } from '../health/options.ts';

const DECLARABLE: readonly Capability[] = ['archive', 'trace', 'debug', 'txpool', 'filters'];

/** Capabilities that the config says the node lacks, as bits. */
function declaredLacks(config: UpstreamConfig): number {
  return DECLARABLE.reduce((bits, name) => (config.capabilities[name] === false ? bits | CAPABILITY_BITS[name] : bits), 0);
}

/** A configured upstream as its judge sees it. */
export function judgedUpstream(config: UpstreamConfig, catalog: Catalog): JudgedUpstream {
  const { name, weight, tier, maxInFlight, methods, capabilities } = config;
  const denied = deniedMask(catalog, methods.allow, methods.deny);
  const stateBlocks = capabilities.archive === false ? capabilities.stateBlocks : 0;
  return { name, weight, tier, maxInFlight, lacks: declaredLacks(config), stateBlocks, denied };
}
