import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { METRICS } from '../../../src/observe/metricTable.ts';
import type { MetricSpec } from '../../../src/observe/metricTable.ts';

const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
const rowOf = (spec: MetricSpec): string =>
  `| \`${spec.name}\` | ${spec.type} | ${spec.labels.map((label) => `\`${label}\``).join(', ')} | ${spec.unit} | ${spec.help} |`;

it('docs/metrics.md lists the metrics of the table, all of them and no others', () => {
  const documented = page.split('\n').filter((line) => line.startsWith('| `'));
  expect(documented).toEqual(Object.values(METRICS).map(rowOf));
});

it('every name has the prefix, once, and a counter ends in _total', () => {
  const specs: readonly MetricSpec[] = Object.values(METRICS);
  expect(new Set(specs.map((spec) => spec.name)).size).toBe(specs.length);
  for (const spec of specs) {
    expect(spec.name).toMatch(/^tidegate_[a-z_]+$/);
    expect(spec.name.endsWith('_total')).toBe(spec.type === 'counter');
  }
});
