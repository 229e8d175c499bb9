import type { Problem } from '../config/problem.ts';
import { problemText } from '../config/problem.ts';
import type { ReloadCommand } from './args.ts';
import { change, plainText } from './ask.ts';
import type { Asked } from './ask.ts';
import { EXIT, type World } from './ports.ts';

interface Told {
  readonly applied: readonly string[];
  readonly restart: readonly string[];
}

const isTold = (value: unknown): value is Told => {
  const told = value as Partial<Told> | null;
  return Array.isArray(told?.applied) && Array.isArray(told.restart);
};

interface Refusal {
  readonly place: string;
  readonly problems: readonly Problem[];
}

const isRefusal = (value: unknown): value is Refusal => {
  const told = value as Partial<Refusal> | null | undefined;
  return typeof told?.place === 'string' && Array.isArray(told.problems);
};

/** What a change of the configuration came to, for people. */
export function appliedLines({ applied, restart }: Told): string[] {
  if (applied.length + restart.length === 0) return ['nothing has changed'];
  return [...applied, ...restart.map((option) => `takes a restart: ${option}`)].map(plainText);
}

/** Prints a refusal, each problem on a line of its own. */
export function tellFault(asked: Extract<Asked, { fault: string }>, world: World): number {
  if (isRefusal(asked.value)) for (const problem of asked.value.problems) world.err(plainText(problemText(problem, asked.value.place)));
  else world.err(`tidegate: ${asked.fault}`);
  return EXIT.failed;
}

/** Prints what a change of the configuration came to. */
export function tellApplied(asked: Asked, command: { readonly admin: string; readonly json: boolean }, world: World): number {
  if ('fault' in asked) return tellFault(asked, world);
  if (!isTold(asked.value)) return tellFault({ fault: `${command.admin}: not the admin port of a gateway` }, world);
  for (const line of command.json ? [asked.body.trimEnd()] : appliedLines(asked.value)) world.out(line);
  return EXIT.ok;
}

/** Lets a running gateway read its config file anew. */
export async function tellReload(command: ReloadCommand, world: World): Promise<number> {
  return tellApplied(await change(command, { method: 'POST', path: '/api/v1/config/reload', body: {} }, world), command, world);
}
