import { expect, it } from 'vitest';
import { configFromValue } from '../../../src/config/parse.ts';
import { shareConfig, shareUpstream } from '../../../src/config/share.ts';

const parsed = configFromValue({
  server: { maxInFlight: 500 },
  chains: [
    { name: 'main', routing: { retryBudget: { percent: 20, reservePerS: 9 } }, upstreams: [{ name: 'a', http: 'http://127.0.0.1:1', connections: 7, maxInFlight: 100 }, { name: 'b', http: 'http://127.0.0.1:2', connections: 1, maxInFlight: 2 }] },
  ],
});
if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
const { config } = parsed;

it('divides what protects the nodes, and leaves what protects the process', () => {
  const shared = shareConfig(config, 3);
  const [chain] = shared.chains;
  expect(chain?.upstreams.map(({ connections, maxInFlight }) => [connections, maxInFlight])).toEqual([[3, 34], [1, 1]]);
  expect(chain?.routing.retryBudget).toEqual({ percent: 20, reservePerS: 3 });
  expect(shared.server).toEqual(config.server);
});

it('is the whole for one', () => {
  expect(shareConfig(config, 1)).toEqual(config);
  const upstream = config.chains[0]?.upstreams[0];
  expect(upstream === undefined ? null : shareUpstream(upstream, 1)).toEqual(upstream);
});
