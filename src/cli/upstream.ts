import { ask, change, plainText } from './ask.ts';
import type { UpstreamCommand } from './upstreamArgs.ts';
import { EXIT, type World } from './ports.ts';
import { areChains } from './statusScreen.ts';
import { tellApplied, tellFault } from './tellReload.ts';

/** The chain that is meant, or the line to print instead. */
async function chainOf({ chain, admin }: UpstreamCommand, world: World): Promise<{ readonly chain: string } | { readonly fault: string }> {
  if (chain !== null) return { chain };
  const asked = await ask(admin, '/api/v1/upstreams', world);
  if ('fault' in asked) return asked;
  const chains = areChains(asked.value) ? asked.value.map((one) => one.chain) : [];
  const [only] = chains;
  if (only === undefined) return { fault: `${admin}: not the admin port of a gateway` };
  return chains.length === 1 ? { chain: only } : { fault: `give --chain NAME: one of ${chains.map(plainText).join(', ')}` };
}

/** Changes one upstream of a running gateway and prints how it is from then on. */
export async function changeUpstream(command: UpstreamCommand, world: World): Promise<number> {
  const found = await chainOf(command, world);
  if ('fault' in found) return tellFault(found, world);
  const { action, upstream, body } = command;
  const chainPath = `/api/v1/upstreams/${encodeURIComponent(found.chain)}`;
  const nodePath = `${chainPath}/${encodeURIComponent(upstream)}`;
  if (action === 'add') return tellApplied(await change(command, { method: 'POST', path: chainPath, body }, world), command, world);
  if (action === 'remove') return tellApplied(await change(command, { method: 'DELETE', path: nodePath, body }, world), command, world);
  const asked = await change(command, { method: 'POST', path: `${nodePath}/${action}`, body }, world);
  if ('fault' in asked) return tellFault(asked, world);
  const { why, weight } = asked.value as { readonly why?: unknown; readonly weight?: unknown };
  world.out(command.json ? asked.body.trimEnd() : plainText(`${upstream}: ${String(why)}, weight ${String(weight)}`));
  return EXIT.ok;
}
