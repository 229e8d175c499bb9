import type { Finding } from './problem.ts';
import type { Config } from './schema.ts';

/** Relations of the nodes that the controller runs, and of how it heals. */
export function relateNodes(config: Config): Finding[] {
  const findings: Finding[] = [];
  const dirs = new Map<string, number>();
  const ports = new Map<number, number>();
  const names = new Map<string, number>();
  const backed = new Map<string, number>();
  for (const [index, node] of config.nodes.entries()) {
    const at = (key: string): Finding['path'] => ['nodes', index, key];
    const chain = config.chains.find(({ name }) => name === node.chain);
    if (chain === undefined) findings.push({ path: at('chain'), message: `there is no chain ${node.chain}` });
    else if (node.upstream !== undefined && !chain.upstreams.some(({ name }) => name === node.upstream)) findings.push({ path: at('upstream'), message: `chain ${node.chain} has no upstream ${node.upstream}` });
    if (node.client === 'command' && node.command === undefined) findings.push({ path: ['nodes', index], message: 'client command needs a command' });
    if (node.client === 'anvil' && node.restoreBy === 'mount') findings.push({ path: at('restoreBy'), message: 'anvil writes its state anew: it cannot be mounted' });
    if (node.driver === 'process' && (node.limits.memoryBytes > 0 || node.limits.cpus > 0)) findings.push({ path: at('limits'), message: 'the process driver cannot limit a node' });
    if (node.driver === 'docker' && node.image === undefined && config.controller.docker.image === '') findings.push({ path: at('driver'), message: 'needs an image, here or in controller.docker.image' });
    const sameName = names.get(node.name);
    if (sameName !== undefined) findings.push({ path: at('name'), message: `is the same name as nodes[${sameName}].name` });
    else names.set(node.name, index);
    const upstream = `${node.chain}/${node.upstream ?? node.name}`;
    const other = backed.get(upstream);
    if (other !== undefined && sameName === undefined) findings.push({ path: at('upstream'), orAt: at('name'), message: `backs the same upstream as nodes[${other}]` });
    backed.set(upstream, index);
    const sameDir = dirs.get(node.dataDir);
    if (sameDir !== undefined) findings.push({ path: at('dataDir'), message: `is the data directory of nodes[${sameDir}] too` });
    else dirs.set(node.dataDir, index);
    for (const key of ['httpPort', 'wsPort'] as const) {
      const port = node[key];
      if (port === undefined || (key === 'wsPort' && port === node.httpPort)) continue;
      const taken = ports.get(port);
      if (taken !== undefined) findings.push({ path: at(key), message: `is a port of nodes[${taken}] too` });
      else ports.set(port, index);
    }
  }
  return [...findings, ...relateHealing(config)];
}

function relateHealing({ controller: { healing } }: Config): Finding[] {
  const at = (...path: string[]): Finding['path'] => ['controller', 'healing', ...path];
  const findings: Finding[] = [];
  const { percents } = healing.ramp;
  if (percents.at(-1) !== 100) findings.push({ path: at('ramp', 'percents'), message: 'must end with 100' });
  if (percents.some((percent, i) => i > 0 && percent <= (percents[i - 1] ?? 0))) findings.push({ path: at('ramp', 'percents'), message: 'must grow' });
  if (healing.backoffMaxMs < healing.backoffMinMs) findings.push({ path: at('backoffMaxMs'), orAt: at('backoffMinMs'), message: 'controller.healing.backoffMaxMs must be at least backoffMinMs' });
  return findings;
}
