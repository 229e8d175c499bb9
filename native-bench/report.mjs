// Makes the charts, the figures in the README and docs/snapshots.md, and docs/scale.md from recorded results, or compares two.
//   npm run bench:report                              writes them from results/bench.json
//   npm run bench:report -- --check                   fails where they are not what the results say
//   npm run bench:report -- --compare OLD [NEW]       files, or commits whose results/bench.json is meant
//   npm run bench:report -- --targets [FILE]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { charts } from './lib/charts.mjs';
import { compare } from './lib/compare.mjs';
import { printTargets } from './lib/print.mjs';
import { renewed } from './lib/readme.mjs';
import { scalePage } from './lib/scale.mjs';
import { snapshotPage } from './lib/snapshots.mjs';
import { targets } from './lib/targets.mjs';

const root = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const RECORDED = 'native-bench/results/bench.json';
const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' }, compare: { type: 'boolean' }, targets: { type: 'boolean' } } });

/** Results of a file, or of a commit. */
function read(name) {
  if (existsSync(name)) return JSON.parse(readFileSync(name, 'utf8'));
  const told = spawnSync('git', ['show', `${name}:${RECORDED}`], { encoding: 'utf8', cwd: root(''), maxBuffer: 1 << 28 });
  if (told.status !== 0) throw new Error(`${name} is no file, and no commit with ${RECORDED}`);
  return JSON.parse(told.stdout);
}

/** Path in the repository -> text. */
function pages() {
  const results = read(root(RECORDED));
  const svgs = charts(results.cases);
  const scale = scalePage(results);
  return {
    ...Object.fromEntries(Object.entries(svgs).map(([name, svg]) => [`docs/charts/${name}`, svg])),
    'README.md': renewed(readFileSync(root('README.md'), 'utf8'), results, Object.keys(svgs)),
    'docs/snapshots.md': snapshotPage(readFileSync(root('docs/snapshots.md'), 'utf8'), results),
    ...(scale === null ? {} : { 'docs/scale.md': scale }),
  };
}

function printComparison([before, after = root(RECORDED)]) {
  if (before === undefined) throw new Error('compare with what? a file or a commit');
  const rows = compare(read(before), read(after));
  const width = Math.max(0, ...rows.map(({ place }) => place.length)) + 2;
  process.stdout.write(`${'case, table, peer'.padEnd(width)}figure          before     after   ratio  (least–most)\n`);
  for (const { place, key, before: then, after: now, ratio, low, high, isNotable } of rows) {
    process.stdout.write(`${place.padEnd(width)}${key.padEnd(13)}${then.median.toPrecision(4).padStart(9)} ${now.median.toPrecision(4).padStart(9)}  ${ratio.toFixed(2).padStart(6)}  (${low.toFixed(2)}–${high.toFixed(2)})${isNotable ? '  *' : ''}\n`);
  }
  process.stdout.write('* the rounds do not overlap, and the medians are more than 3 % apart\n');
}

function main() {
  if (values.compare) return printComparison(positionals);
  if (values.targets) return printTargets(targets(read(positionals[0] ?? root(RECORDED)).cases));
  const made = Object.entries(pages());
  if (values.check) {
    const stale = made.filter(([path, text]) => !existsSync(root(path)) || readFileSync(root(path), 'utf8') !== text).map(([path]) => path);
    if (stale.length > 0) throw new Error(`not as the results say: ${stale.join(', ')}; run npm run bench:report`);
    return;
  }
  mkdirSync(root('docs/charts'), { recursive: true });
  for (const [path, text] of made) writeFileSync(root(path), text);
  process.stdout.write(`${made.map(([path]) => path).join('\n')}\n`);
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
