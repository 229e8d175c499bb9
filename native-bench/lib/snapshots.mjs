// The part of docs/snapshots.md that is made of figures.
import { between } from './marks.mjs';
import { shown } from './svg.mjs';

const median = (table, row, key) => table?.rows[row]?.figures[key]?.median;
const cell = (n, unit) => (n === undefined ? '' : `${shown(n)}${unit}`);

function verifyLines({ tables }) {
  const find = (title) => tables.find((one) => one.title.startsWith(title));
  const [chunks, counts, whole] = ['chunks', 'things', 'a whole'].map(find);
  const both = (what, table, row, key, unit) => {
    const [one, two] = [1, 2].map((threads) => median(table, `${row}, ${threads} thread${threads === 1 ? '' : 's'}`, key));
    return one === undefined ? [] : [`| ${what} | ${cell(one, unit)} | ${cell(two, unit)} | ${(two / one).toFixed(2)} |`];
  };
  const one = (what, row) => (median(counts, row, 'perS') === undefined ? [] : [`| ${what} | ${cell(median(counts, row, 'perS'), '/s')} | | |`]);
  const pause = median(whole, '2 threads', 'maxMs');
  return [
    '| verified | 1 thread | 2 threads | times |',
    '|---|---|---|---|',
    ...both('raw chunks', chunks, 'raw', 'mbPerS', ' MB/s'),
    ...both('gzip chunks, of the plain bytes', chunks, 'gzip', 'mbPerS', ' MB/s'),
    ...both('headers', counts, 'headers', 'perS', '/s'),
    ...one('account and slot proofs', 'account and slot proofs'),
    ...one('tries of 200 leaves', 'tries of 200 leaves'),
    ...one('the same by `@ethereumjs/mpt`', 'the same, @ethereumjs/mpt'),
    '',
    `\`openssl speed sha256\` beside it gave ${cell(median(chunks, 'openssl', 'mbPerS'), ' MB/s')}.${pause === undefined ? '' : ` In a whole verification the thread that hands out the work was held up for ${shown(pause)} ms at most, as \`monitorEventLoopDelay\` says.`}`,
  ];
}

function restoreLines(found) {
  if (found === undefined) return [];
  const [{ title, rows }] = found.tables;
  const lines = Object.entries(rows).map(([way, { figures }]) => `| ${way} | ${cell(figures.ms.median, ' ms')} | ${cell(figures.cpuMs.median, ' ms')} |`);
  return ['', `| restored: ${title} | until it can start | of the processor |`, '|---|---|---|', ...lines];
}

/** docs/snapshots.md with its figures; as it is where there are none. */
export function snapshotPage(page, { cases, machine, versions }) {
  const { verify, restore } = cases;
  if (verify === undefined) return page;
  const loads = [verify, restore].filter((one) => one !== undefined).map(({ loadBefore }) => loadBefore[0]);
  return between('docs/snapshots.md', page, [
    `\`npm run bench -- verify restore\`, medians, on ${machine.cpu}, ${machine.cores} cores, Node.js ${versions.node}, with a load of ${[...new Set(loads)].join(' and ')} before ([results](../native-bench/results/bench.json)):`,
    '',
    ...verifyLines(verify),
    ...restoreLines(restore),
  ].join('\n'));
}
