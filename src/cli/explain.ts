import type { Explanation, NodeFacts } from '../route/explanation.ts';
import type { ExplainCommand } from './args.ts';
import { ask, plainText } from './ask.ts';
import { EXIT, type World } from './ports.ts';
import { short, tableLines } from './table.ts';

const isExplanation = (value: unknown): value is Explanation => {
  const told = value as Partial<Explanation> | null;
  return typeof told?.chain === 'string' && Array.isArray(told.candidates) && Array.isArray(told.excluded);
};

const wordsOf = ({ reasons }: NodeFacts): string => reasons.map(({ words }) => words).join('; ');

const methodLines = ({ facts }: Explanation): string[] => {
  if (facts === null) return [];
  const can = [facts.retryable ? 'retryable' : 'not retryable', facts.hedgeable ? 'hedgeable' : 'not hedgeable'];
  const needs = facts.capability === null ? '' : `, needs ${facts.capability}`;
  return [`${facts.listed ? 'class' : 'not in the catalogue: class'} ${facts.class}, ${can.join(', ')}, affinity ${facts.affinity}, cost ${facts.cost}${needs}`];
};

const blockLines = ({ requiredBlock, stateBlock, view }: Explanation): string[] => [
  ...(requiredBlock < 0 ? [] : [`needs block ${requiredBlock}`]),
  ...(stateBlock < 0 ? [] : [`reads the state of block ${stateBlock}`]),
  ...(view === null || view.block === '' ? [] : [`seen from block ${view.block}`]),
  ...(view === null || view.trustedBlock < 0 ? [] : [`goes to nodes on the trusted branch up to ${view.trustedBlock}${view.firm ? ', to no others' : ' where there are any'}`]),
  ...(view === null || view.pinnedParams === '' ? [] : [`${view.pinning === 'always' ? 'is sent with' : 'where the node may be elsewhere it is sent with'} ${view.pinnedParams}`]),
];

const cacheLines = ({ cache }: Explanation): string[] => (cache == null ? [] : [`cache: ${cache.class ?? 'off'}${cache.block < 0 ? '' : ` (block ${cache.block})`}: ${cache.words}`]);

const candidateLines = ({ candidates }: Explanation): string[] => {
  if (candidates.length === 0) return [];
  const titles = ['', 'NAME', 'TIER', 'STATE', 'WEIGHT', 'SCORE', 'DISTANCE', 'IN FLIGHT', 'IN SPITE OF'];
  const rows = candidates.map((node, i) => [
    String(i + 1),
    node.name,
    String(node.tier),
    node.state,
    short(node.weight, 1),
    short(node.score, 2),
    (node.distance ?? 0).toPrecision(3),
    String(node.inFlight),
    wordsOf(node),
  ]);
  return ['', 'Order:', ...tableLines(titles, rows)];
};

const excludedLines = ({ excluded }: Explanation): string[] =>
  excluded.length === 0 ? [] : ['', 'Left out:', ...tableLines(['NAME', 'STATE', 'WHY'], excluded.map((node) => [node.name, node.state, wordsOf(node)]))];

const failureLines = ({ onFailure }: Explanation): string[] => {
  if (onFailure === null) return [];
  const { maxAttempts, attemptTimeoutMs, hedgeAfterMs, deadlineMs, budgetLeft, words } = onFailure;
  const hedge = hedgeAfterMs === null ? 'never asked twice at once' : `a second node asked after ${short(hedgeAfterMs, 0)} ms`;
  return [
    '',
    `On failure: ${words}`,
    `at most ${maxAttempts} sends, the first given ${short(attemptTimeoutMs, 0)} ms, ${hedge}, all within ${short(deadlineMs, 0)} ms; ${budgetLeft} retries left in the budget`,
  ];
};

/** An explanation for people. */
export function explainLines(told: Explanation): string[] {
  const { refusal } = told;
  return [
    `${plainText(told.method)} on ${plainText(told.chain)}${told.panic ? ' (PANIC: judgements are suspended)' : ''}`,
    ...methodLines(told),
    ...blockLines(told),
    ...cacheLines(told),
    ...(refusal === null ? [] : [`refused: ${refusal.message} (${refusal.kind}, code ${refusal.code})`]),
    ...candidateLines(told),
    ...excludedLines(told),
    ...failureLines(told),
  ];
}

/** Asks a running gateway what it would do with a call. */
export async function explain(command: ExplainCommand, world: World): Promise<number> {
  const asked = await ask(command.admin, `/api/v1/explain?${new URLSearchParams(command.query)}`, world);
  const fault = 'fault' in asked ? asked.fault : isExplanation(asked.value) ? null : `${command.admin}: not the admin port of a gateway`;
  if (fault !== null || 'fault' in asked) {
    world.err(`tidegate: ${fault}`);
    return EXIT.failed;
  }
  for (const line of command.json ? [asked.body.trimEnd()] : explainLines(asked.value as Explanation)) world.out(line);
  return EXIT.ok;
}
