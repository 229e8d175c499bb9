// Compares Tidegate with native proxies over one stub, taking turns within one run.
//   npm run bench -- [all | CASE …] [--rounds 5] [--seconds 2] [--out FILE] [--list] [--smoke] [--erpc PATH] [--proxyd PATH] [--nodecore PATH]
// Other work on the machine shifts every figure: ratios are taken within a round, between neighbours in time.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Bench } from './lib/bench.mjs';
import { printTable, printTargets } from './lib/print.mjs';
import { commit, load, readResults, saveCase } from './lib/result.mjs';
import { targets } from './lib/targets.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    out: { type: 'string', default: here('results/local-bench.json') },
    list: { type: 'boolean', default: false },
    // one short round of a part of the case, for its answers alone
    smoke: { type: 'boolean', default: false },
    erpc: { type: 'string' },
    proxyd: { type: 'string' },
    nodecore: { type: 'string' },
    // options of the stub over those of the case: how a test proves that wrong answers are found
    stub: { type: 'string', default: '{}' },
  },
});
const NAMES = readdirSync(here('cases')).map((file) => file.replace('.mjs', '')).sort();
const caseOf = (name) => import(`./cases/${name}.mjs`);

async function list() {
  const width = Math.max(...NAMES.map((name) => name.length)) + 2;
  for (const name of NAMES) process.stdout.write(`${name.padEnd(width)}${(await caseOf(name)).about}\n`);
}

async function measure(name) {
  const { about, run } = await caseOf(name);
  const { erpc, proxyd, nodecore, smoke } = values;
  const bench = new Bench({ rounds: smoke ? 1 : Number(values.rounds), seconds: smoke ? 0.3 : Number(values.seconds), isSmoke: smoke, paths: { erpc, proxyd, nodecore }, stub: JSON.parse(values.stub) });
  const loadBefore = load();
  const startMs = performance.now();
  process.stdout.write(`${name}: ${about}\n`);
  try {
    const tables = await run(bench);
    for (const table of tables) printTable(table);
    const seconds = Math.round((performance.now() - startMs) / 1000);
    process.stdout.write(`  ${bench.checked} answers compared in full, all right; ${seconds} s\n`);
    saveCase(values.out, name, { about, commit: commit(), at: new Date().toISOString(), rounds: bench.rounds, loadBefore, loadAfter: load(), checked: bench.checked, seconds, tables });
  } finally {
    await bench.close();
  }
}

/** Every case even if one fails. @returns what failed */
async function measureAll(names) {
  const failed = [];
  for (const name of names) {
    try {
      await measure(name);
    } catch (error) {
      failed.push(name);
      process.stderr.write(`${name}: ${error.message}\n`);
    }
  }
  return failed;
}

if (values.list) await list();
else {
  const unknown = positionals.filter((name) => name !== 'all' && !NAMES.includes(name));
  if (unknown.length > 0 || positionals.length === 0) {
    process.stderr.write(`${unknown.length > 0 ? `no case ${unknown.join(', ')}` : 'which case?'} (all, ${NAMES.join(', ')})\n`);
    process.exit(2);
  }
  const failed = await measureAll(positionals.includes('all') ? NAMES : positionals);
  if (!values.smoke) printTargets(targets(readResults(values.out).cases));
  process.exit(failed.length > 0 ? 1 : 0);
}
