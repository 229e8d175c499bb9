// The part of the README that is made of figures.
import { between } from './marks.mjs';
import { shown } from './svg.mjs';
import { targets } from './targets.mjs';

const cell = (figures, key) => (figures[key] === undefined ? '-' : `${shown(figures[key].median)} (${shown(figures[key].min)}–${shown(figures[key].max)})`);
const x = (ratios, key) => (ratios[key] === undefined ? '' : ratios[key].median.toFixed(2));

function passTable(cases) {
  const found = cases['pass-small']?.tables.find(({ title }) => title.startsWith('64 connections'));
  if (found === undefined) return '';
  const lines = Object.entries(found.rows).map(([name, { figures, ratios }]) => `| ${name} | ${cell(figures, 'callsPerS')} | ${cell(figures, 'usPerCall')} | ${x(ratios, 'callsPerS')} | ${x(ratios, 'usPerCall')} |`);
  return `| passed through | calls/s | µs of processor time per call | to HAProxy: calls/s | µs |\n|---|---|---|---|---|\n${lines.join('\n')}\n`;
}

function section({ machine, versions, cases }, files) {
  const rounds = Math.max(...Object.values(cases).map((one) => one.rounds));
  const commits = [...new Set(Object.values(cases).map((one) => one.commit))].join(', ');
  const loads = Object.values(cases).map((one) => one.loadBefore[0]);
  const list = targets(cases).map((row) => `| ${row.what} | ${row.measured} | ${row.must} | ${row.stretch} | ${row.verdict} |`);
  return `Measured on ${machine.cpu}, ${machine.cores} cores, Node.js ${versions.node}, ${versions.haproxy?.replace(/ - .*/, '')}, ${versions.nginx}; load, stub node and proxy share the
machine, everybody takes turns in up to ${rounds} rounds, medians (least–most). Load average before the cases ${Math.min(...loads)} to ${Math.max(...loads)}. Commit ${commits}; raw figures in [native-bench/results](native-bench/results/bench.json).

${files.map((file) => `![${file.replace('.svg', '').replaceAll('-', ' ')}](docs/charts/${file})`).join('\n\n')}

${passTable(cases)}
| target | measured | must | stretch | |
|---|---|---|---|---|
${list.join('\n')}`;
}

/** The README with its section made anew. */
export const renewed = (readme, results, files) => between('README.md', readme, section(results, files));
