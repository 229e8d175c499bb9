/** Where a value sits: keys and list indices from the root. */
export type Path = readonly (string | number)[];

/** One thing that is wrong with a configuration. */
export interface Problem {
  /** Such as `chains[0].upstreams[1].http`; '' for the whole text. */
  readonly path: string;
  /** 1-based; 0 when the value did not come from a text. */
  readonly line: number;
  /** 1-based; 0 when the value did not come from a text. */
  readonly column: number;
  /** What is wrong, without the value: it may be a secret. */
  readonly message: string;
  /** What was probably meant. */
  readonly suggestion?: string;
}

/** A problem before it has a line. */
export interface Finding {
  readonly path: Path;
  /** The key itself is wrong, not its value. */
  readonly atKey?: boolean;
  readonly message: string;
  readonly suggestion?: string;
  /** Where to point when the text leaves the value at `path` to its default. */
  readonly orAt?: Path;
}

/** `['chains', 0, 'name']` as `chains[0].name`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/** `file:line:col path: message (did you mean …?)`, the parts that are known. */
export function problemText(problem: Problem, file: string): string {
  const place = problem.line > 0 ? `${file}:${problem.line}:${problem.column} ` : `${file}: `;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  const hint = problem.suggestion === undefined ? '' : ` (did you mean ${problem.suggestion}?)`;
  return `${place}${path}${problem.message}${hint}`;
}
