import { describe, expect, test } from 'vitest';
import { cycle, impurities, LAYERS, layerFaults, lineCount, moduleState, PURE } from './rules.ts';
import { filesBelow, readText, sourceFile, sources } from './tree.ts';

const MAX_LINES = 300;
const MAX_MEDIAN_LINES = 90;
const MAX_TEST_LINES = 400;

const files = sources();

describe('src', () => {
  test('has every folder in a layer', () => {
    const layers = new Set(Object.keys(LAYERS));
    expect(files.map(({ folder }) => folder).filter((folder) => !layers.has(folder))).toEqual([]);
  });

  test('imports only from lower layers', () => expect(files.flatMap(layerFaults)).toEqual([]));

  test('has no import cycle', () => expect(cycle(files)).toBeNull());

  test('reaches the world only from the outer layers', () => {
    expect(files.filter(({ folder }) => PURE.has(folder)).flatMap(impurities)).toEqual([]);
  });

  test('keeps no state in modules', () => expect(files.flatMap(moduleState)).toEqual([]));

  test('has short files', () => {
    const lengths = files.map(({ path, text }) => ({ path, lines: lineCount(text) })).sort((a, b) => a.lines - b.lines);
    expect(lengths.filter(({ lines }) => lines > MAX_LINES)).toEqual([]);
    expect(lengths[Math.floor(lengths.length / 2)]?.lines).toBeLessThanOrEqual(MAX_MEDIAN_LINES);
  });

  test('and short tests', () => {
    const lengths = filesBelow('test', /\.ts$/).map((path) => ({ path, lines: lineCount(readText(path)) }));
    expect(lengths.filter(({ lines }) => lines > MAX_TEST_LINES)).toEqual([]);
  });
});

describe('the checks find', () => {
  const at = (folder: string, text: string) => sourceFile(`src/${folder}/x.ts`, text);

  test.each([
    ['route', "import { a } from '../edge/port.ts';", 'src/route/x.ts imports src/edge/port.ts'],
    ['chain', "import type { A } from '../route/table.ts';", 'src/chain/x.ts imports src/route/table.ts'],
    ['edge', "export * from '../upstream/port.ts';", 'src/edge/x.ts imports src/upstream/port.ts'],
    ['gateway', "const a = await import('../cli/run.ts');", 'src/gateway/x.ts imports src/cli/run.ts'],
    ['rpc', "type A = import('../main.ts').A;", 'src/rpc/x.ts imports src/main.ts'],
    ['health', "import { readFileSync } from 'node:fs';", 'src/health/x.ts imports package node:fs'],
    ['base', "import * as z from 'zod';", 'src/base/x.ts imports package zod'],
    ['attic', '', 'src/attic/x.ts: folder src/attic is in no layer'],
  ])('in %s: %s', (folder, text, fault) => expect(layerFaults(at(folder, text))).toEqual([fault]));

  test('a cycle, through types too', () => {
    const a = sourceFile('src/base/a.ts', "import type { B } from './b.ts';");
    const b = sourceFile('src/base/b.ts', "import { c } from './c.ts';");
    const c = sourceFile('src/base/c.ts', "export type { A } from './a.ts';");
    expect(cycle([a, b, c])).toEqual(['src/base/a.ts', 'src/base/b.ts', 'src/base/c.ts', 'src/base/a.ts']);
    expect(cycle([a, b])).toBeNull();
  });

  test.each([
    'Date.now()',
    'new Date()',
    'Math.random()',
    'setTimeout(f, 1)',
    'performance.now()',
    'process.env.A',
    'console.log()',
    'globalThis.x',
    'async () => 1',
    'await f()',
    'export {}; for await (const x of y) {}',
    'new Promise(f)',
    'fetch(u)',
    'class A { async b() {} }',
  ])('impure %s', (text) => expect(impurities(at('base', text)).length).toBeGreaterThan(0));

  test.each(['// Date.now()\n1', '"await"', 'type A = Date; Math.max(1, 2)', 'clock.nowMs(); timers.after(1, f)'])(
    'nothing in %j',
    (text) => {
      expect(impurities(at('base', text))).toEqual([]);
    },
  );

  test('state of a module', () => {
    expect(moduleState(at('base', 'export let a = 1;\nvar b;\nconst c = 1; function f() { let d; }'))).toEqual([
      'src/base/x.ts:1 has a module-level variable',
      'src/base/x.ts:2 has a module-level variable',
    ]);
  });
});
