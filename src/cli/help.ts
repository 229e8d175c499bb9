import { COMMANDS, type CommandName, type CommandSpec } from './commands.ts';

const EXIT_CODES = 'Exit codes: 0 done; 1 failed; 2 wrong command line.';

const columns = (rows: readonly (readonly [left: string, right: string])[]): string[] => {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
};

/** Help of the whole program. */
export function generalHelp(): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary] as const);
  return [
    'Tidegate: a JSON-RPC gateway for blockchain nodes.',
    '',
    'Usage: tidegate COMMAND [options]',
    '',
    ...columns(rows),
    '',
    '`tidegate help COMMAND` says more.',
    EXIT_CODES,
  ].join('\n');
}

/** Help of one command. */
export function commandHelp(name: CommandName): string {
  const { summary, usage, options, notes }: CommandSpec = COMMANDS[name];
  const rows = Object.entries(options).map(
    ([option, { value, text }]) => [value === undefined ? `--${option}` : `--${option} ${value}`, text] as const,
  );
  const indented = usage.map((line, index) => `${index === 0 ? 'Usage: ' : '       '}${line}`);
  return [
    `tidegate ${name}: ${summary}.`,
    '',
    ...indented,
    ...(rows.length === 0 ? [] : ['', ...columns(rows)]),
    ...(notes.length === 0 ? [] : ['', ...notes]),
    EXIT_CODES,
  ].join('\n');
}
