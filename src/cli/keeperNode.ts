import { ask, change, plainText } from './ask.ts';
import type { NodeCommand } from './nodeArgs.ts';
import { journalLine, watchNode } from './nodeWatch.ts';
import type { Entry } from './nodeWatch.ts';
import { readNode } from './nodeFile.ts';
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

/** Words for what cannot be taken back by the same command. */
const ASKED: Readonly<Partial<Record<NodeCommand['action'], string>>> = {
  stop: 'it leaves service, whatever the others can bear',
  restart: 'it leaves service until it has passed its probation',
  remove: 'it leaves service, whatever the others can bear, and is kept no more',
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

async function read(command: NodeCommand, world: World): Promise<number> {
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

/** What a dry run says. */
interface Planned {
  readonly steps: readonly string[];
  readonly next: { readonly kind: string } | null;
  readonly guards: Shown['guards'];
  readonly why: string;
}

function plannedLines({ steps, next, guards = [], why }: Planned): string[] {
  const held = guards.filter(({ holds }) => !holds);
  return [`decided: ${why}`, ...steps.map((step, i) => `  ${i + 1}. ${step}`), `next step: ${next?.kind ?? 'none'}`, ...held.map(({ name, why: reason }) => `held back by ${name}: ${reason}`)].map(plainText);
}

/** What is sent, and to where. */
async function requestOf(command: NodeCommand, world: World): Promise<{ readonly method: 'POST' | 'DELETE'; readonly path: string; readonly body: object; readonly node: string } | { readonly fault: string }> {
  const { action, node, body, file, dryRun } = command;
  const query = dryRun ? '?dryRun=true' : '';
  const path = `/api/v1/nodes/${encodeURIComponent(node ?? '')}`;
  if (action === 'remove') return { method: 'DELETE', path: `${path}${query}`, body, node: node ?? '' };
  if (action !== 'add') return { method: 'POST', path: `${path}/${action}${query}`, body, node: node ?? '' };
  const read = file === null ? {} : await readNode(file, world);
  if ('fault' in read && typeof read.fault === 'string') return { fault: read.fault };
  const whole = { ...read, ...body };
  return { method: 'POST', path: `/api/v1/nodes${query}`, body: whole, node: String((whole as { name?: unknown }).name ?? '') };
}

/** Shows or changes nodes that a controller keeps. */
export async function keeperNode(command: NodeCommand, world: World): Promise<number> {
  const { action, node, yes, dryRun, json, wait } = command;
  if (action === 'list' || action === 'explain' || action === 'journal') return read(command, world);
  const consequence = dryRun ? undefined : ASKED[action];
  if (consequence !== undefined && !yes) {
    const data = command.body.deleteData === true ? '; its data is deleted' : '';
    const agreed = await world.confirm(`${action} ${plainText(node ?? '')}: ${consequence}${data}. Go on?`);
    if (agreed !== true) return tellFault({ fault: agreed === null ? `${action} needs --yes where nobody can be asked` : 'nothing was done' }, world);
  }
  const request = await requestOf(command, world);
  if ('fault' in request) return tellFault(request, world);
  const sinceMs = world.nowMs();
  const asked = await change(command, request, world);
  if ('fault' in asked) return tellFault(asked, world);
  if (json || dryRun) {
    for (const line of json ? [asked.body.trimEnd()] : plannedLines(asked.value as Planned)) world.out(line);
    return EXIT.ok;
  }
  const watched = action === 'pause' || action === 'resume' ? null : action;
  if (wait && watched !== null) return watchNode({ admin: command.admin, node: request.node, action: watched, sinceMs }, world);
  world.out(plainText(`${request.node}: ${action} is noted; \`tidegate node journal ${request.node}\` tells what comes of it`));
  return EXIT.ok;
}
