import type * as z from 'zod';
import type { Finding, Path } from './problem.ts';
import { pathText } from './problem.ts';
import { inputSchema, type JsonSchema } from './schemaJson.ts';
import { nearest } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** The value at a path of plain data. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => {
    const isHolder = typeof value === 'object' && value !== null && Object.hasOwn(value, step);
    return isHolder ? (value as Record<string | number, unknown>)[step] : undefined;
  }, root);
}

const schemaAt = (root: JsonSchema, path: Path): JsonSchema | undefined =>
  path.reduce<JsonSchema | undefined>((schema, step) => {
    if (typeof step === 'number') return schema?.items;
    return schema?.properties?.[step];
  }, root);

/** Paths of every option with this last key, lists as `[]`. */
const placesOf = (schema: JsonSchema, key: string, prefix = ''): string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const inside = child.items === undefined ? placesOf(child, key, path) : placesOf(child.items, key, `${path}[]`);
    return name === key ? [path, ...inside] : inside;
  });

const unknownKeys = (keys: readonly string[], path: Path): Finding[] => {
  const schema = inputSchema();
  const known = Object.keys(schemaAt(schema, path)?.properties ?? {});
  return keys.map((key) => {
    const elsewhere = placesOf(schema, key);
    const suggestion = nearest(key, known) ?? (elsewhere.length === 1 ? elsewhere[0] : undefined);
    const message = key === '<<' ? 'merge keys (<<) are not supported' : 'unknown key';
    return { path: [...path, key], atKey: true, message, ...(suggestion === undefined ? {} : { suggestion }) };
  });
};

const words = (issue: Issue): string[] =>
  issue.code === 'invalid_value' ? issue.values.filter((word) => typeof word === 'string') : [];

const explainOne = (issue: Issue, input: unknown): Finding[] => {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, path);
  if (issue.code === 'invalid_key') return [{ path, atKey: true, message: issue.issues[0]?.message ?? issue.message }];
  const value = valueAt(input, path);
  if (value === undefined) return [{ path, message: 'is required' }];
  if (value === null) return [{ path, message: 'is empty: give it a value or leave the key out' }];
  const suggestion = typeof value === 'string' ? nearest(value, words(issue)) : undefined;
  return [{ path, message: issue.message, ...(suggestion === undefined ? {} : { suggestion }) }];
};

/** Findings for what the schema refused; one per place, none with a value in it. */
export function explain(issues: readonly Issue[], input: unknown): Finding[] {
  const byPath = new Map<string, Finding>();
  for (const issue of issues) {
    for (const finding of explainOne(issue, input)) {
      const key = pathText(finding.path);
      if (!byPath.has(key)) byPath.set(key, finding);
    }
  }
  return [...byPath.values()];
}
