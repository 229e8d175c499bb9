import type { ChainConfig, Config, UpstreamConfig } from './schema.ts';

const part = (whole: number, workers: number): number => Math.max(1, Math.ceil(whole / workers));

/** One worker's part of what a node may be asked for at once. At least 1, so that many workers can exceed a small whole. */
export function shareUpstream(config: UpstreamConfig, workers: number): UpstreamConfig {
  const { connections, maxInFlight, batch } = config;
  return {
    ...config,
    connections: part(connections, workers),
    maxInFlight: shareInFlight(maxInFlight, workers),
    batch: { ...batch, slots: part(batch.slots, workers) },
  };
}

/** One worker's part of the calls that may be in flight at a node. */
export const shareInFlight = (maxInFlight: number, workers: number): number => part(maxInFlight, workers);

function shareChain(config: ChainConfig, workers: number): ChainConfig {
  const { retryBudget } = config.routing;
  const routing = { ...config.routing, retryBudget: { ...retryBudget, reservePerS: retryBudget.reservePerS / workers } };
  return { ...config, routing, upstreams: config.upstreams.map((upstream) => shareUpstream(upstream, workers)) };
}

/**
 * The configuration of one of several worker processes: what protects the nodes is divided between them. What protects the
 * process itself (`server` limits) holds for each.
 */
export function shareConfig(config: Config, workers: number): Config {
  return { ...config, chains: config.chains.map((chain) => shareChain(chain, workers)) };
}
