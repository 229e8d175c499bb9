import { explain, valueAt } from './explain.ts';
import { type Finding, type Path, pathText } from './problem.ts';
import { relate } from './relate.ts';
import { type Config, configObject } from './schema.ts';

/** A configuration, or findings that have no line yet. */
export type Checked = { readonly config: Config } | { readonly findings: readonly Finding[] };

const NUMBER = /^-?\d+(\.\d+)?$/;

/** `${PORT}` is text; where a number or truth value is wanted, it is read as one. */
const coerce = (value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  if (NUMBER.test(value)) return Number(value);
  return value === 'true' ? true : value === 'false' ? false : value;
};

/** A copy with `change` applied to the values at some paths; undefined removes one. */
const rewrite = (root: unknown, paths: ReadonlySet<string>, change: (value: unknown) => unknown): unknown => {
  const walk = (value: unknown, path: Path): unknown => {
    if (paths.has(pathText(path))) return change(value);
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => [key, walk(item, [...path, key])] as const);
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
  };
  return walk(root, []);
};

/** Relation findings, each at a place that the input has. */
const relations = (config: Config, input: unknown): Finding[] =>
  relate(config).map((finding) => {
    const { orAt, ...rest } = finding;
    const isDefault = valueAt(input, finding.path) === undefined;
    return isDefault && orAt !== undefined && valueAt(input, orAt) !== undefined ? { ...rest, path: orAt } : rest;
  });

/** Relations among the values that are right by themselves: the wrong ones count as absent. */
const relationsOfRest = (input: unknown, wrong: readonly Finding[]): Finding[] => {
  const paths = new Set(wrong.map(({ path }) => pathText(path)));
  const rest = rewrite(input, paths, () => undefined);
  const result = configObject.safeParse(rest);
  return result.success ? relations(result.data, rest) : [];
};

/**
 * Checks plain data against the schema and the relations between options.
 * @param expanded paths (as text) of texts that came from the environment: a number is read from them where one is wanted
 */
export function checkValue(input: unknown, expanded: ReadonlySet<string>): Checked {
  let value = input;
  let result = configObject.safeParse(value);
  if (!result.success && expanded.size > 0) {
    const refused = result.error.issues.map(({ path }) => pathText(path as Path)).filter((path) => expanded.has(path));
    value = rewrite(value, new Set(refused), coerce);
    result = configObject.safeParse(value);
  }
  if (!result.success) {
    const wrong = explain(result.error.issues, value);
    return { findings: [...wrong, ...relationsOfRest(value, wrong)] };
  }
  const findings = relations(result.data, value);
  return findings.length === 0 ? { config: result.data } : { findings };
}
