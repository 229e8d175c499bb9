import { ask, change, plainText } from './ask.ts';
import type { KeeperCommand } from './nodeArgs.ts';
import { EXIT, type World } from './ports.ts';
import { tableLines } from './table.ts';
import { tellFault } from './tellReload.ts';

interface Shown {
  readonly name: string;
  readonly chain: string;
  readonly verdict: string | null;
  readonly why: string;
  readonly evidence?: string;
  readonly paused?: boolean;
  readonly human?: string | null;
  readonly process?: { readonly state: string; readonly pid?: number | null };
  readonly rpc?: { readonly headNumber: number };
  readonly edge?: { readonly state: string } | null;
  readonly operation?: { readonly kind: string } | null;
  readonly next?: { readonly kind: string } | null;
  readonly attempts?: readonly { readonly rung: string; readonly verdict: string; readonly atMs: number }[];
  readonly guards?: readonly { readonly name: string; readonly holds: boolean; readonly why: string }[];
}

interface Entry {
  readonly at: string;
  readonly node: string;
  readonly kind: string;
  readonly what: string;
  readonly why: string;
  readonly outcome: string;
  readonly durationMs?: number;
  readonly error?: string;
}

/** Words for what cannot be taken back by the same command. */
const ASKED: Readonly<Partial<Record<KeeperCommand['action'], string>>> = {
  stop: 'it leaves service, whatever the others can bear',
  restart: 'it leaves service until it has passed its probation',
};

function listLines(nodes: readonly Shown[]): string[] {
  const rows = nodes.map(({ name, chain, process: run, verdict, rpc, edge, operation, paused, why }) => {
    const doing = [operation == null ? '' : operation.kind, paused === true ? 'paused' : ''].filter((word) => word !== '').join(', ');
    return [name, chain, run?.state ?? '-', String(run?.pid ?? '-'), verdict ?? '-', String(rpc?.headNumber ?? -1), edge?.state ?? '-', doing === '' ? '-' : doing, why];
  });
  return tableLines(['node', 'chain', 'process', 'pid', 'verdict', 'head', 'gateway', 'doing', 'why'], rows);
}

function explainLines({ name, verdict, evidence, why, next, human, attempts = [], guards = [] }: Shown): string[] {
  const lines = [`${name}: ${verdict ?? 'not looked at yet'}`, `  evidence: ${evidence ?? '-'}`, `  decided: ${why}`, `  next step: ${next?.kind ?? 'none'}`];
  if (human != null) lines.push(`  a human is called: ${human}`);
  for (const { name: guard, holds, why: reason } of guards) lines.push(`  guard ${guard}: ${holds ? 'holds' : 'REFUSES'}, ${reason}`);
  for (const { rung, verdict: cause, atMs } of attempts) lines.push(`  tried ${rung} for ${cause} at ${new Date(atMs).toISOString()}`);
  return lines.map(plainText);
}

const journalLine = ({ at, node, kind, what, why, outcome, durationMs, error }: Entry): string =>
  plainText(`${at}  ${node}  ${kind} ${what}: ${outcome}${durationMs === undefined ? '' : ` in ${(durationMs / 1000).toFixed(1)} s`}: ${why}${error === undefined ? '' : ` (${error})`}`);

async function read(command: KeeperCommand, world: World): Promise<number> {
  const { action, node, admin, json } = command;
  const name = encodeURIComponent(node ?? '');
  const path = action === 'list' ? '/api/v1/nodes' : action === 'explain' ? `/api/v1/nodes/${name}` : `/api/v1/journal?limit=200${node === null ? '' : `&node=${name}`}`;
  const asked = await ask(admin, path, world);
  if ('fault' in asked) return tellFault(asked, world);
  const { value } = asked;
  if (action !== 'explain' && !Array.isArray(value)) return tellFault({ fault: `${admin}: not the admin port of a controller` }, world);
  const lines = json ? [asked.body.trimEnd()] : action === 'list' ? listLines(value as Shown[]) : action === 'explain' ? explainLines(value as Shown) : (value as Entry[]).map(journalLine);
  for (const line of lines) world.out(line);
  return EXIT.ok;
}

/** Shows or changes nodes that a controller keeps. */
export async function keeperNode(command: KeeperCommand, world: World): Promise<number> {
  const { action, node, yes } = command;
  if (action === 'list' || action === 'explain' || action === 'journal') return read(command, world);
  const consequence = ASKED[action];
  if (consequence !== undefined && !yes) {
    const agreed = await world.confirm(`${action} ${plainText(node ?? '')}: ${consequence}. Go on?`);
    if (agreed !== true) return tellFault({ fault: agreed === null ? `${action} needs --yes where nobody can be asked` : 'nothing was done' }, world);
  }
  const asked = await change(command, { method: 'POST', path: `/api/v1/nodes/${encodeURIComponent(node ?? '')}/${action}`, body: {} }, world);
  if ('fault' in asked) return tellFault(asked, world);
  world.out(command.json ? asked.body.trimEnd() : plainText(`${node}: ${action} is noted; \`tidegate node journal ${node}\` tells what comes of it`));
  return EXIT.ok;
}
