// Tables for a terminal.

const cell = (n, width = 10) => {
  const text = n === undefined ? '-' : Math.abs(n) >= 1000 ? n.toFixed(0) : Math.abs(n) >= 10 ? n.toFixed(1) : n.toFixed(2);
  return text.padStart(width);
};

/** Medians of a case's table; below each figure that has one, its ratio to the base. */
export function printTable({ title, base, rows }) {
  const names = Object.keys(rows);
  const keys = [...new Set(names.flatMap((name) => Object.keys(rows[name].figures)))];
  const first = Math.max(16, ...names.map((name) => name.length + 1));
  const widths = keys.map((key) => Math.max(10, key.length + 1));
  process.stdout.write(`  ${title}${base === null ? '' : ` (x: to ${base}, round by round)`}\n`);
  process.stdout.write(`  ${' '.repeat(first)}${keys.map((key, i) => key.padStart(widths[i])).join('')}\n`);
  for (const name of names) {
    const { figures, ratios } = rows[name];
    process.stdout.write(`  ${name.padEnd(first)}${keys.map((key, i) => cell(figures[key]?.median, widths[i])).join('')}\n`);
    if (name === base || Object.keys(ratios).length === 0) continue;
    const ratio = (key) => (ratios[key] === undefined ? '' : `x${ratios[key].median.toFixed(2)}`);
    process.stdout.write(`  ${' '.repeat(first)}${keys.map((key, i) => ratio(key).padStart(widths[i])).join('')}\n`);
  }
}

/** The table of targets. @param list of { what, against, must, stretch, measured, verdict } */
export function printTargets(list) {
  const widths = ['what', 'measured', 'must', 'stretch'].map((key) => Math.max(key.length, ...list.map((row) => row[key].length)) + 2);
  const line = (row) => `${row.what.padEnd(widths[0])}${row.measured.padEnd(widths[1])}${row.must.padEnd(widths[2])}${row.stretch.padEnd(widths[3])}${row.verdict}\n`;
  process.stdout.write(line({ what: 'target', measured: 'measured', must: 'must', stretch: 'stretch', verdict: '' }));
  for (const row of list) process.stdout.write(line(row));
}
