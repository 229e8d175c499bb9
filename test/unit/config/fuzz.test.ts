import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import type { Random } from '../../../src/base/random.ts';
import { parseConfig } from '../../../src/config/parse.ts';
import type { ParseResult } from '../../../src/config/parse.ts';

/**
 * The kept configurations, mutated by characters, lines and indentation.
 * A run is repeated by its seed: `FUZZ_SEED=n FUZZ_RUNS=m`.
 */
const FOLDER = new URL('../../../config/', import.meta.url);
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
/** A run takes milliseconds; what takes this long grows faster than its text. */
const MAX_RUN_MS = 5000;

/** Processor time of this process: a busy machine is no fault. */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const ENV = { KEY: 'sesame-in-the-environment' };

const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .map((name) => ({ name, text: readFileSync(new URL(name, FOLDER), 'utf8') }));

// Placeholders, not templates.
const DOLLAR = '$';
const SPICE = [
  ':', ': ', '-', '- ', '? ', '#', '\t', '\n', '\r', '\n\n', ' ', '{', '}', '[', ']', ',', '"', "'", '|\n', '>-\n', '&a ', '*a', '<<: *a\n',
  '!!js ', '!!binary ', '!!set ', '!!timestamp ', '%YAML 1.1\n', '---\n', '...\n', `${DOLLAR}{KEY}`, `${DOLLAR}{`, `${DOLLAR}{KEY:-`, '~', 'null', 'true', '.inf', '.nan', '-0', '1e400', '0x1f',
  '99999999999999999999', '__proto__: ', 'constructor: ', '\u0000', '\ud800', '\u2028', '\ufeff', '[[[[[[[[[[[[', '- - - - - - - - ', '5GiB', '-1s',
];

function mutate(text: string, random: Random): string {
  const pick = (limit: number): number => Math.floor(random() * limit);
  let mutated = text;
  for (let times = 1 + pick(4); times > 0; times--) {
    const at = pick(mutated.length + 1);
    const lines = mutated.split('\n');
    const line = pick(lines.length);
    const other = files[pick(files.length)]?.text.split('\n') ?? [];
    const put = (...put: readonly string[]): string => lines.toSpliced(line, 1, ...put).join('\n');
    const kinds = [
      () => mutated.slice(0, at) + (SPICE[pick(SPICE.length)] ?? '') + mutated.slice(at),
      () => mutated.slice(0, at) + (SPICE[pick(SPICE.length)] ?? '').repeat(1 + pick(200)) + mutated.slice(at),
      () => mutated.slice(0, at) + mutated.slice(at + 1 + pick(12)),
      () => mutated.slice(0, at),
      () => put(),
      () => put(lines[line] ?? '', lines[line] ?? ''),
      () => put(' '.repeat(pick(6)) + (lines[line] ?? '')),
      () => put((lines[line] ?? '').trimStart()),
      () => put(...other.slice(pick(other.length)).slice(0, 1 + pick(8))),
    ];
    mutated = kinds[pick(kinds.length)]?.() ?? mutated;
  }
  return mutated;
}

function check(text: string, result: ParseResult): void {
  if (result.ok) return;
  expect(result.problems.length).toBeGreaterThan(0);
  const lastLine = text.split(/\r\n|\r|\n/).length;
  for (const { line, column, message } of result.problems) {
    expect(message).not.toBe('');
    expect(message).not.toContain(ENV.KEY);
    expect(line).toBeLessThanOrEqual(lastLine);
    expect(column).toBeGreaterThanOrEqual(0);
  }
}

describe('mutations of the configurations', () => {
  it(`are read or refused with a place, and soon: seed ${SEED}, ${RUNS} runs`, () => {
    let refused = 0;
    for (let run = 0; run < RUNS; run++) {
      const text = mutate(files[run % files.length]?.text ?? '', seededRandom(SEED + run));
      const began = cpuMs();
      try {
        const result = parseConfig(text, ENV);
        check(text, result);
        refused += result.ok ? 0 : 1;
      } catch (cause) {
        throw new Error(`seed ${SEED + run}: ${JSON.stringify(text)}`, { cause });
      }
      const tookMs = cpuMs() - began;
      if (tookMs > MAX_RUN_MS) throw new Error(`seed ${SEED + run} took ${tookMs} ms: ${JSON.stringify(text)}`);
    }
    // Neither all of them nor none: otherwise the mutations say nothing.
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(RUNS);
  }, 30_000);

  it.each([
    ['an alias bomb', `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.split('').map((name, k) => `${name}: &${name} [${`*${'abcdefgh'[k]},`.repeat(9)}]`).join('\n')}\nchains: *i`],
    ['brackets 100,000 deep', '['.repeat(100_000)],
    ['lists 10,000 deep on one line', '- '.repeat(10_000)],
    ['mappings 500 deep', Array.from({ length: 500 }, (_, k) => `${' '.repeat(k)}a:`).join('\n')],
    ['1 MB of spaces', ' '.repeat(1_000_000)],
    ['50,000 equal keys', 'a: 1\n'.repeat(50_000)],
    ['200,000 quotes', '"'.repeat(200_000)],
    ['100,000 colons', ': '.repeat(100_000)],
    ['60,000 anchors', '&a '.repeat(60_000)],
    ['200,000 tabs', '\t'.repeat(200_000)],
    ['a long placeholder', `a: ${`${DOLLAR}{`.repeat(100_000)}`],
    ['a long number', `server: { port: ${'9'.repeat(200_000)} }`],
    ['a key of the prototype', '__proto__: { ok: true }\nchains: []'],
  ])('%s is refused soon', (_name, text) => {
    const began = cpuMs();
    const result = parseConfig(text, ENV);
    expect(result.ok).toBe(false);
    check(text, result);
    expect(cpuMs() - began).toBeLessThan(MAX_RUN_MS);
  });
});
