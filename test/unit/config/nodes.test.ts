import { expect, it } from 'vitest';
import { configFromValue } from '../../../src/config/parse.ts';

const node = (change: object = {}) => ({ name: 'n1', chain: 'dev', client: 'anvil', httpPort: 9001, dataDir: '/data/n1', ...change });

/** Problems of a config with these nodes, as `path: message`. */
function problems(nodes: readonly object[], controller: object = {}): string[] {
  const result = configFromValue({ chains: [{ name: 'dev', upstreams: [{ name: 'n1', http: 'http://127.0.0.1:9001' }] }], controller, nodes });
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

it('takes a node with its defaults', () => {
  expect(problems([node()])).toEqual([]);
});

it.each([
  [[node({ chain: 'other' })], 'nodes[0].chain: there is no chain other'],
  [[node({ upstream: 'n9' })], 'nodes[0].upstream: chain dev has no upstream n9'],
  [[node({ client: 'command' })], 'nodes[0]: client command needs a command'],
  [[node({ limits: { cpus: 1 } })], 'nodes[0].limits: the process driver cannot limit a node'],
  [[node({ driver: 'docker' })], 'nodes[0].driver: needs an image, here or in controller.docker.image'],
  [[node(), node({ name: 'n2', httpPort: 9002 })], 'nodes[1].dataDir: is the data directory of nodes[0] too'],
  [[node(), node({ name: 'n2', dataDir: '/data/n2' })], 'nodes[1].httpPort: is a port of nodes[0] too'],
  [[node(), node({ dataDir: '/data/n2', httpPort: 9002 })], 'nodes[1].name: is the same name as nodes[0].name'],
])('refuses what cannot go together %#', (nodes, problem) => {
  expect(problems(nodes)).toEqual([problem]);
});

it('refuses a way back that does not end at full weight', () => {
  expect(problems([], { healing: { ramp: { percents: [1, 50] } } })).toEqual(['controller.healing.ramp.percents: must end with 100']);
  expect(problems([], { healing: { ramp: { percents: [50, 1, 100] } } })).toEqual(['controller.healing.ramp.percents: must grow']);
  expect(problems([], { healing: { backoffMinMs: '1m', backoffMaxMs: '1s' } })).toEqual(['controller.healing.backoffMaxMs: controller.healing.backoffMaxMs must be at least backoffMinMs']);
});
