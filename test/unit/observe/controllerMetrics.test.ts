import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CONTROLLER_METRICS, ControllerMetrics } from '../../../src/observe/controllerMetrics.ts';

it('has every metric in the docs, and no other', () => {
  const text = readFileSync(new URL('../../../docs/controller.md', import.meta.url), 'utf8');
  const documented = text.split('\n').filter((line) => line.startsWith('| `tidegate_'));
  const rows = Object.values(CONTROLLER_METRICS).map(([name, labels, help]) => `| \`tidegate_${name}\` | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`);
  expect(documented).toEqual(rows);
});

it('exposes every metric under its name', async () => {
  const text = await new ControllerMetrics().text();
  for (const [name] of Object.values(CONTROLLER_METRICS)) expect(text).toContain(`# TYPE tidegate_${name} `);
});
