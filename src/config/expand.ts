import type { Finding, Path } from './problem.ts';
import { pathText } from './problem.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

const MAX_EXPANDED_CHARS = 65_536;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A value with its placeholders replaced. */
export interface Expansion {
  readonly value: unknown;
  /** Paths (as text) whose value came from the environment. */
  readonly expanded: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

const lookUp = (inside: string, env: Environment): { text: string } | { fault: string } => {
  const split = inside.indexOf(':-');
  const name = split < 0 ? inside : inside.slice(0, split);
  if (!NAME.test(name))
    return { fault: `has a placeholder that is not \${NAME} or \${NAME:-default}; write $\${ for a literal \${` };
  const fallback = split < 0 ? null : inside.slice(split + 2);
  if (fallback?.includes('${') === true) return { fault: `has a placeholder inside the default of ${name}` };
  const found = Object.hasOwn(env, name) ? env[name] : undefined;
  if (found !== undefined && found !== '') return { text: found };
  if (fallback !== null) return { text: fallback };
  return {
    fault:
      found === ''
        ? `environment variable ${name} is empty; write \${${name}:-} if that is meant`
        : `environment variable ${name} is not set`,
  };
};

/**
 * Replaces `${NAME}` and `${NAME:-default}` in one text; `$${` stands for a literal `${`.
 * @returns the text and what is wrong, never with a value in it
 */
export function expandText(
  text: string,
  env: Environment,
): { readonly text: string; readonly faults: readonly string[] } {
  const faults: string[] = [];
  let result = '';
  let rest = text;
  for (let start = rest.indexOf('${'); start >= 0; start = rest.indexOf('${')) {
    if (rest[start - 1] === '$') {
      result += `${rest.slice(0, start - 1)}\${`;
      rest = rest.slice(start + 2);
      continue;
    }
    const end = rest.indexOf('}', start);
    const piece = lookUp(end < 0 ? '' : rest.slice(start + 2, end), env);
    if ('fault' in piece) faults.push(piece.fault);
    result += rest.slice(0, start) + ('text' in piece ? piece.text : '');
    rest = end < 0 ? '' : rest.slice(end + 1);
    if (result.length > MAX_EXPANDED_CHARS)
      return { text: '', faults: [...faults, `is longer than ${MAX_EXPANDED_CHARS} characters once expanded`] };
  }
  return { text: result + rest, faults };
}

/** Replaces the placeholders in every text of plain data; keys stay as they are. */
export function expandEnvironment(root: unknown, env: Environment): Expansion {
  const expanded = new Set<string>();
  const findings: Finding[] = [];
  const walk = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string' && value.includes('${')) {
      const { text, faults } = expandText(value, env);
      expanded.add(pathText(path));
      for (const message of faults) findings.push({ path, message });
      return text;
    }
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, [...path, key])]));
  };
  return { value: walk(root, []), expanded, findings };
}
