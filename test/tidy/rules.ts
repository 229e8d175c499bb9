import { posix } from 'node:path';
import { type AstNode, placeOf, type SourceFile, walk } from './tree.ts';

/** What a folder may import: other folders and packages. */
interface Allowed {
  readonly folders: readonly string[];
  readonly packages: readonly string[];
}

const SETTINGS = ['base', 'config'];
const DOMAIN = [...SETTINGS, 'rpc', 'chain', 'health', 'route', 'cache', 'subs', 'snapshot', 'proof', 'heal', 'lease'];
const WORLD = [...DOMAIN, 'observe'];
const SHELL = [...WORLD, 'upstream', 'edge', 'store', 'verify', 'vault', 'driver', 'coord'];

/** The layers, lowest first; the pure folders have no package that touches the outside world. */
export const LAYERS: Readonly<Record<string, Allowed>> = {
  base: { folders: [], packages: [] },
  config: { folders: ['base'], packages: ['zod', 'yaml'] },
  rpc: { folders: SETTINGS, packages: ['node:buffer'] },
  chain: { folders: [...SETTINGS, 'rpc'], packages: ['@noble/hashes/sha3'] },
  health: { folders: [...SETTINGS, 'rpc', 'chain'], packages: ['hdr-histogram-js'] },
  route: { folders: [...SETTINGS, 'rpc', 'chain', 'health'], packages: ['hdr-histogram-js'] },
  cache: { folders: [...SETTINGS, 'rpc', 'chain'], packages: ['lru-cache'] },
  subs: { folders: [...SETTINGS, 'rpc', 'chain'], packages: [] },
  snapshot: { folders: SETTINGS, packages: ['zod'] },
  proof: { folders: ['base'], packages: [] },
  heal: { folders: [...SETTINGS, 'snapshot'], packages: [] },
  lease: { folders: SETTINGS, packages: [] },
  observe: { folders: DOMAIN, packages: ['pino', 'prom-client', 'node:*'] },
  upstream: { folders: WORLD, packages: ['undici', 'ws', 'node:*'] },
  edge: { folders: WORLD, packages: ['ws', 'uWebSockets.js', 'node:*'] },
  store: { folders: WORLD, packages: ['lmdb', 'node:*'] },
  verify: { folders: WORLD, packages: ['piscina', 'hash-wasm', 'node:*'] },
  // store and verification put together, for the controller and the command line
  vault: { folders: [...WORLD, 'store', 'verify'], packages: ['node:*'] },
  driver: { folders: WORLD, packages: ['dockerode', 'zod', 'node:*'] },
  coord: { folders: WORLD, packages: ['node:*'] },
  gateway: { folders: SHELL, packages: ['node:*'] },
  controller: { folders: SHELL, packages: ['node:*'] },
  agent: { folders: SHELL, packages: ['node:*'] },
  devnet: { folders: WORLD, packages: ['undici', 'ws', 'node:*'] },
  cli: { folders: SHELL, packages: ['node:*'] },
  // what `npm start` runs: put together of apps, by the entry alone
  demo: { folders: [...SHELL, 'controller', 'devnet', 'cli'], packages: ['node:*'] },
  '': { folders: [...SHELL, 'gateway', 'controller', 'agent', 'devnet', 'cli', 'demo'], packages: ['node:*'] },
};

/** Folders without input, output, clock, chance or waiting. */
export const PURE: ReadonlySet<string> = new Set(['base', 'config', 'rpc', 'chain', 'health', 'route', 'cache', 'subs', 'snapshot', 'proof', 'heal', 'lease']);

/** Path of the file that a relative import names; null for a package. */
export function target(file: SourceFile, specifier: string): string | null {
  return specifier.startsWith('.') ? posix.normalize(posix.join(posix.dirname(file.path), specifier)) : null;
}

const folderOf = (path: string): string => path.split('/')[1] ?? '';

/** Imports that go up, sideways, or to a package that the folder has no business with. */
export function layerFaults(file: SourceFile): string[] {
  const allowed = LAYERS[file.folder];
  if (allowed === undefined) return [`${file.path}: folder src/${file.folder} is in no layer`];
  return file.imports.flatMap((specifier) => {
    const path = target(file, specifier);
    if (path === null) {
      const isAllowed = allowed.packages.some(
        (name) => name === specifier || (name === 'node:*' && specifier.startsWith('node:')),
      );
      return isAllowed ? [] : [`${file.path} imports package ${specifier}`];
    }
    const folder = path === 'src/main.ts' ? 'main.ts' : folderOf(path);
    return folder === file.folder || allowed.folders.includes(folder) ? [] : [`${file.path} imports ${path}`];
  });
}

/** One import cycle as a list of files, or null. */
export function cycle(files: readonly SourceFile[]): string[] | null {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    const file = byPath.get(path);
    if (file === undefined || done.has(path)) return null;
    for (const specifier of file.imports) {
      const next = target(file, specifier);
      const found = next === null ? null : visit(next, [...trail, path]);
      if (found !== null) return found;
    }
    done.add(path);
    return null;
  };
  for (const { path } of files) {
    const found = visit(path, []);
    if (found !== null) return found;
  }
  return null;
}

/** Names that reach the world. `Math` is judged by member, `Date` not at all as a type. */
const BANNED = new Set([
  'Date',
  'performance',
  'process',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'fetch',
  'console',
  'crypto',
  'require',
]);

const name = (node: unknown): string | null => {
  const { type, name: text } = (node ?? {}) as { type?: string; name?: string };
  return type === 'Identifier' && text !== undefined ? text : null;
};

/** What a node does that a pure folder must not; null when nothing. */
const impurity = (node: AstNode): string | null => {
  if (node.type === 'AwaitExpression') return 'await';
  if (node.type === 'ForOfStatement' && node.await === true) return 'for await';
  if (node.async === true) return 'async';
  if (node.type === 'NewExpression' && name(node.callee) === 'Promise') return 'new Promise';
  const used =
    node.type === 'MemberExpression'
      ? node.object
      : node.type === 'CallExpression' || node.type === 'NewExpression'
        ? node.callee
        : null;
  const owner = name(used);
  if (owner === 'Math' && name(node.property) === 'random') return 'Math.random';
  if (owner === 'globalThis') return 'globalThis';
  return owner !== null && BANNED.has(owner) ? owner : null;
};

/** Uses of clock, chance, timers, waiting and the process. */
export function impurities(file: SourceFile): string[] {
  const faults: string[] = [];
  walk(file.ast, (node) => {
    const what = impurity(node);
    if (what !== null) faults.push(`${placeOf(file, node)} uses ${what}`);
  });
  return faults;
}

/** Variables of a module that can be set again. */
export function moduleState(file: SourceFile): string[] {
  return (file.ast.body as AstNode[])
    .map((statement) =>
      statement.type === 'ExportNamedDeclaration' ? (statement.declaration as AstNode | null) : statement,
    )
    .filter((statement) => statement?.type === 'VariableDeclaration' && statement.kind !== 'const')
    .map((statement) => `${placeOf(file, statement as AstNode)} has a module-level variable`);
}

/** Lines of a text. */
export function lineCount(text: string): number {
  return text.trimEnd().split('\n').length;
}
