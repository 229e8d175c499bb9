import { ask, plainText } from './ask.ts';
import { EXIT, type World } from './ports.ts';
import { tellFault } from './tellReload.ts';

const LOOK_EVERY_MS = 500;
/** Looks without an operation before it counts as there already. */
const LEAST_LOOKS = 6;

/** A line of the journal. */
export interface Entry {
  readonly at: string;
  readonly chain?: string;
  /** '' = the whole chain. */
  readonly node: string;
  readonly kind: string;
  readonly what: string;
  readonly why: string;
  readonly outcome: string;
  readonly durationMs?: number;
  readonly error?: string;
}

export const journalLine = ({ at, chain, node, kind, what, why, outcome, durationMs, error }: Entry): string =>
  plainText(`${at}  ${node === '' ? `(${chain ?? 'chain'})` : node}  ${kind} ${what}: ${outcome}${durationMs === undefined ? '' : ` in ${(durationMs / 1000).toFixed(1)} s`}: ${why}${error === undefined ? '' : ` (${error})`}`);

interface State {
  readonly why: string;
  readonly human?: string | null;
  readonly verdict: string | null;
  readonly process?: { readonly state: string };
  readonly operation?: { readonly kind: string } | null;
  readonly edge?: { readonly state: string } | null;
}

export interface Watching {
  readonly admin: string;
  readonly node: string;
  readonly action: 'add' | 'remove' | 'start' | 'stop' | 'restart';
  /** Unix ms: what the journal has from then on is shown. */
  readonly sinceMs: number;
}

/** Whether a node is as it was wished. */
function isThere({ operation, process: run, verdict, edge }: State, action: Watching['action']): boolean {
  if (operation != null || action === 'remove') return false;
  if (action === 'stop') return run !== undefined && run.state !== 'running';
  return verdict === 'healthy' && run?.state === 'running' && edge?.state !== 'cordoned';
}

/** Tells what the controller does for a wish, a line each, until it has come true or a human is called. */
export async function watchNode({ admin, node, action, sinceMs }: Watching, world: World): Promise<number> {
  const name = encodeURIComponent(node);
  const told = new Set<string>();
  let doing = '';
  for (let looks = 1; ; looks++) {
    const journal = await ask(admin, `/api/v1/journal?limit=100&node=${name}`, world);
    if ('fault' in journal) return tellFault(journal, world);
    const entries = (journal.value as readonly Entry[]).filter(({ at }) => Date.parse(at) >= sinceMs);
    for (const line of entries.map(journalLine)) {
      if (told.has(line)) continue;
      told.add(line);
      world.progress?.('');
      world.out(line);
    }
    const asked = await ask(admin, `/api/v1/nodes/${name}`, world);
    if ('fault' in asked) {
      const isGone = action === 'remove' && (asked.value as { readonly error?: unknown } | undefined)?.error === 'no such node';
      world.progress?.('');
      if (!isGone) return tellFault(asked, world);
      world.out(plainText(`${node}: removed`));
      return EXIT.ok;
    }
    const state = asked.value as State;
    const hasEnded = entries.some(({ kind }) => kind === 'operation');
    if (isThere(state, action) && (hasEnded || looks >= LEAST_LOOKS)) {
      world.progress?.('');
      world.out(plainText(`${node}: ${state.why}`));
      return EXIT.ok;
    }
    if (state.human != null && action !== 'stop' && action !== 'remove') return tellFault({ fault: `${node}: ${plainText(state.human)}` }, world);
    const line = plainText(`${node}: ${state.why}`);
    // where there is no line to be written over, counts and times that change are no news
    const gist = line.replace(/\d+/g, '#');
    if (world.progress !== undefined) world.progress(line);
    else if (gist !== doing) world.out(line);
    doing = gist;
    await world.pause(LOOK_EVERY_MS);
  }
}
