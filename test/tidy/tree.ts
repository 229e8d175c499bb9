import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vitest/node';

/** Top of the repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A node of a syntax tree; only what the checks look at. */
export interface AstNode {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/** One TypeScript file of `src/`. */
export interface SourceFile {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  /** Folder below `src/`; '' for `main.ts`. */
  readonly folder: string;
  readonly text: string;
  readonly ast: AstNode;
  /** What it imports or re-exports, types included. */
  readonly imports: readonly string[];
}

/** Text of a file of the repository. */
export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Files below a folder whose name ends so, relative to the repository. */
export function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .sort();
}

const isNode = (value: unknown): value is AstNode =>
  typeof value === 'object' && value !== null && typeof (value as AstNode).type === 'string';

/** Calls `visit` for each node, parents before children. */
export function walk(node: AstNode, visit: (node: AstNode) => void): void {
  visit(node);
  for (const value of Object.values(node)) {
    for (const item of Array.isArray(value) ? value : [value]) if (isNode(item)) walk(item, visit);
  }
}

const importsOf = (ast: AstNode): string[] => {
  const found: string[] = [];
  walk(ast, ({ source }) => {
    if (isNode(source) && typeof source.value === 'string') found.push(source.value);
  });
  return found;
};

/** Reads one text as a file of `src/`. */
export function sourceFile(path: string, text: string): SourceFile {
  const ast = parseAst(text, { lang: 'ts' }) as unknown as AstNode;
  const [, folder = '', ...below] = path.split('/');
  return { path, folder: below.length === 0 ? '' : folder, text, ast, imports: importsOf(ast) };
}

/** Every file of `src/`. */
export function sources(): SourceFile[] {
  return filesBelow('src', /\.ts$/).map((path) => sourceFile(path, readText(path)));
}

/** `path:line` of a node. */
export function placeOf({ path, text }: SourceFile, { start }: AstNode): string {
  return `${path}:${text.slice(0, start).split('\n').length}`;
}
