import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FAULTS } from '../../src/base/fault.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { inputSchema, type JsonSchema } from '../../src/config/schemaJson.ts';
import { METRICS } from '../../src/observe/metricTable.ts';
import { CONTROLLER_METRICS } from '../../src/observe/controllerMetrics.ts';
import { filesBelow, readText, ROOT } from './tree.ts';

const DOCS = ['README.md', 'CHANGELOG.md', ...filesBelow('docs', /\.md$/)];

/** Paths of all options, and of the sections below a chain or upstream also without what is above them. */
const optionPaths = (schema: JsonSchema, path = ''): string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return [here, ...optionPaths(child, here), ...(child.items === undefined ? [] : optionPaths(child.items, ''))];
  });

const SECTIONS = '(?:server|admin|log|routing|health|methods|attemptTimeout|retryBudget|hedge|ejection|trustedHead)';

/** `server.port` and the like in a text; a URL or a file name is none. */
const optionsIn = (text: string): string[] =>
  [...text.matchAll(new RegExp(`(?<![\\w/.-])${SECTIONS}(?:\\.[a-z][A-Za-z]*)+(?![\\w/])`, 'g'))].map(([option]) =>
    option.replace(/\.(md|ts|js|json|yaml|log)$/, ''),
  );

const known = optionPaths(inputSchema());
const isOption = (option: string): boolean =>
  !option.includes('.') || known.some((path) => path === option || path.endsWith(`.${option}`));

/** Whatever a histogram's name may end in when it is queried. */
const isMetric = (metric: string, names: readonly string[]): boolean =>
  names.includes(metric.replace(/_(bucket|sum|count)$/, '')) || names.includes(metric);

describe('what the docs name exists', () => {
  test.each(DOCS)('options in %s', (path) =>
    expect(optionsIn(readText(path)).filter((option) => !isOption(option))).toEqual([]),
  );

  test('options in the causes of errors', () => {
    const causes = Object.values(FAULTS).map(({ cause, message }) => `${cause} ${message}`);
    expect(causes.flatMap(optionsIn).filter((option) => !isOption(option))).toEqual([]);
  });

  test.each(DOCS)('metrics in %s', (path) => {
    const names = [...Object.values(METRICS).map(({ name }) => name), ...Object.values(CONTROLLER_METRICS).map(([name]) => `tidegate_${name}`)];
    const used = [...readText(path).matchAll(/\btidegate_[a-z][a-z_]*[a-z]\b/g)].map(([metric]) => metric);
    expect(used.filter((metric) => !isMetric(metric, names))).toEqual([]);
  });

  test.each(DOCS)('commands, scripts and options of the command line in %s', (path) => {
    const text = readText(path);
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
    const commands = [...text.matchAll(/(?:`tidegate|node dist\/main\.js|npx tidegate) ([a-z]+)/g)].map(
      ([, name]) => name ?? '',
    );
    expect(commands.filter((name) => !Object.hasOwn(COMMANDS, name))).toEqual([]);
    const runs = [...text.matchAll(/npm run ([a-z:-]+)/g)].map(([, name]) => name ?? '');
    expect(runs.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
    const flags = [...text.matchAll(/(?:tidegate|main\.js) [a-z]+ ([^\n]*)/g)].flatMap(([, rest = '']) =>
      [...rest.matchAll(/--([a-z-]+)/g)].map(([, flag]) => flag ?? ''),
    );
    const options = Object.values(COMMANDS).flatMap((command) => Object.keys(command.options));
    expect(flags.filter((flag) => !options.includes(flag))).toEqual([]);
  });

  test.each(DOCS)('links in %s', (path) => {
    const links = [...readText(path).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => link ?? '');
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(path), link)))).toEqual([]);
  });

  test('a wrong option would be found', () => {
    expect(optionsIn('`server.maxBodySize`, server.maxBodyBytes.').filter((option) => !isOption(option))).toEqual([
      'server.maxBodySize',
    ]);
    expect(isMetric('tidegate_nothing_total', ['tidegate_x'])).toBe(false);
  });
});
