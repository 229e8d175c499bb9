import { checkValue } from './check.ts';
import { type Environment, expandEnvironment } from './expand.ts';
import { type Finding, type Problem, pathText } from './problem.ts';
import type { Config } from './schema.ts';
import { readSource } from './source.ts';

const MAX_PROBLEMS = 100;

/** A configuration, or everything that is wrong with it. */
export type ParseResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const refused = (problems: readonly Problem[]): ParseResult => {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  if (sorted.length <= MAX_PROBLEMS) return { ok: false, problems: sorted };
  const more: Problem = { path: '', line: 0, column: 0, message: `${sorted.length - MAX_PROBLEMS} more problems` };
  return { ok: false, problems: [...sorted.slice(0, MAX_PROBLEMS), more] };
};

/**
 * Reads a configuration from YAML text: placeholders, schema, relations.
 * Pure and total: whatever the text, the answer is a configuration or its problems, all at once, with their lines.
 * @param env where `${NAME}` is looked up; its values never appear in a problem
 */
export function parseConfig(text: string, env: Environment): ParseResult {
  const source = readSource(text);
  if (source.problems.length > 0) return refused(source.problems);
  if (source.value === null || source.value === undefined) {
    return refused([{ path: '', line: 1, column: 1, message: 'the text is empty: at least chains is required' }]);
  }
  const { value, expanded, findings } = expandEnvironment(source.value, env);
  const checked = checkValue(value, expanded);
  if ('config' in checked && findings.length === 0) return { ok: true, config: checked.config };
  const faulty = new Set(findings.map(({ path }) => pathText(path)));
  const others: readonly Finding[] =
    'config' in checked ? [] : checked.findings.filter(({ path }) => !faulty.has(pathText(path)));
  return refused([...findings, ...others].map((finding) => source.locate(finding)));
}

/** Checks plain data, such as what the command line stands for. Its problems have no lines. */
export function configFromValue(value: unknown): ParseResult {
  const checked = checkValue(value, new Set());
  if ('config' in checked) return { ok: true, config: checked.config };
  return refused(
    checked.findings.map(({ path, message, suggestion }) => {
      const problem = { path: pathText(path), line: 0, column: 0, message };
      return suggestion === undefined ? problem : { ...problem, suggestion };
    }),
  );
}
