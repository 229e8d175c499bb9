import { compare } from './compare.ts';
import type { Finding, Path } from './problem.ts';
import type { RoutingConfig } from './schema.ts';

/** Relations within `routing`. */
export function relateRouting(routing: RoutingConfig, path: Path): Finding[] {
  const { attemptTimeout, hedge, deadlineMs, connectTimeoutMs } = routing;
  return compare(path, [
    { small: ['attemptTimeout.minMs', attemptTimeout.minMs], large: ['attemptTimeout.maxMs', attemptTimeout.maxMs] },
    { small: ['attemptTimeout.maxMs', attemptTimeout.maxMs], large: ['deadlineMs', deadlineMs], strict: true },
    { small: ['connectTimeoutMs', connectTimeoutMs], large: ['deadlineMs', deadlineMs], strict: true },
    { small: ['hedge.minMs', hedge.minMs], large: ['hedge.maxMs', hedge.maxMs] },
    { small: ['hedge.maxMs', hedge.enabled ? hedge.maxMs : 0], large: ['deadlineMs', deadlineMs], strict: true },
  ]);
}
