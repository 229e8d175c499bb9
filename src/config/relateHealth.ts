import { compare } from './compare.ts';
import type { Finding, Path } from './problem.ts';
import type { ChainConfig } from './schema.ts';

/** Relations within `health`, and of it with its chain. @param upstreams how many the chain has */
export function relateHealth({ health, routing }: ChainConfig, path: Path, upstreams: number): Finding[] {
  const { lag, ejection, trustedHead } = health;
  const findings = compare(path, [
    {
      small: ['health.lag.returnBlocks', lag.returnBlocks],
      large: ['health.lag.maxBlocks', lag.maxBlocks],
      strict: true,
    },
    { small: ['health.lag.tolerance', lag.tolerance], large: ['health.lag.maxBlocks', lag.maxBlocks], strict: true },
    {
      small: ['health.trustedHead.finalityDepth', trustedHead.finalityDepth],
      large: ['health.trustedHead.reorgDepth', trustedHead.reorgDepth],
      strict: true,
    },
    { small: ['health.ejection.baseMs', ejection.baseMs], large: ['health.ejection.maxMs', ejection.maxMs] },
    {
      small: ['health.probeTimeoutMs', health.probeTimeoutMs],
      large: ['routing.deadlineMs', routing.deadlineMs],
      strict: true,
    },
  ]);
  if (ejection.maxShare + ejection.panicShare > 1) {
    findings.push({
      path: [...path, 'health', 'ejection', 'panicShare'],
      orAt: [...path, 'health', 'ejection', 'maxShare'],
      message:
        'health.ejection.maxShare and panicShare must not add up to more than 1: ejections alone would cause panic',
    });
  }
  if (typeof trustedHead.quorum === 'number' && trustedHead.quorum > upstreams) {
    findings.push({
      path: [...path, 'health', 'trustedHead', 'quorum'],
      message: `asks for ${trustedHead.quorum} of ${upstreams} upstreams`,
    });
  }
  return findings;
}
