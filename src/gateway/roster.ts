import type { UpstreamConfig } from '../config/schema.ts';
import type { RouteEntry, RouteTable } from '../health/table.ts';
import type { UpstreamNode } from './node.ts';

/** Longest time that removed nodes serve on because none of the others can yet. */
const HANDOVER_MS = 30_000;

/** Where a roster's changes take effect. Indices are `RouteEntry.index`. */
export interface RosterPort {
  /** Opens the sockets of a node. */
  open(config: UpstreamConfig, index: number): UpstreamNode;
  /** Starts to judge and count a node. @returns its index, never used before */
  enlist(config: UpstreamConfig): number;
  /** Weight, tier, limits, methods or capabilities of a node are other than before. */
  revise(config: UpstreamConfig, index: number): void;
  /** Its series vanish: a successor may carry its name. */
  hide(index: number): void;
  /** Stops judging a node: no call goes there any more. */
  discharge(index: number): void;
}

/** What a change of the roster needs to know beside the new upstreams. */
export interface RosterChange {
  /** Every node gets new sockets: an option of all of them is another. */
  readonly reopen: boolean;
  /** Time that calls under way at old sockets get to finish. */
  readonly graceMs: number;
  readonly nowMs: number;
}

interface Member {
  readonly config: UpstreamConfig;
  readonly node: UpstreamNode;
}

const fit = (entry: RouteEntry): boolean => (entry.state === 'serving' || entry.state === 'ramping') && entry.weight > 0;

/** Whether the sockets of the one do for the other. */
const sameSockets = (a: UpstreamConfig, b: UpstreamConfig): boolean =>
  a.ws === b.ws && a.connections === b.connections && a.maxInFlight === b.maxInFlight && JSON.stringify(a.headers) === JSON.stringify(b.headers);

/**
 * The nodes of a chain. Removed ones leave at once where another node can serve, else when one of the others can, so a
 * chain whose nodes are all replaced is never without one.
 */
export class Roster {
  private readonly port: RosterPort;
  private readonly members: (Member | undefined)[] = [];
  private readonly leaving = new Set<number>();
  private readonly parting = new Set<UpstreamNode>();
  private leaveByMs = 0;
  private graceMs = 0;

  constructor(port: RosterPort) {
    this.port = port;
  }

  /** Begins with nodes that are judged already, by their order. */
  begin(configs: readonly UpstreamConfig[]): void {
    for (const [index, config] of configs.entries()) this.members.push({ config, node: this.port.open(config, index) });
  }

  node(index: number): UpstreamNode | undefined {
    return this.members[index]?.node;
  }

  /** Removed from the config, serving on until others can. */
  isLeaving(index: number): boolean {
    return this.leaving.has(index);
  }

  /** Makes the nodes these. One whose `http` is another is a new node. `settle` must follow. */
  apply(configs: readonly UpstreamConfig[], change: RosterChange): void {
    const wanted = new Map(configs.map((config) => [config.name, config]));
    this.graceMs = change.graceMs;
    for (const [index, member] of this.members.entries()) {
      if (member === undefined || this.leaving.has(index)) continue;
      const next = wanted.get(member.config.name);
      if (next?.http !== member.config.http) this.leave(index, change.nowMs);
      else {
        wanted.delete(next.name);
        this.revise(index, member, next, change.reopen);
      }
    }
    for (const config of wanted.values()) {
      const index = this.port.enlist(config);
      this.members[index] = { config, node: this.port.open(config, index) };
    }
  }

  /** Lets the leaving go where that is possible. @returns true when some went, so that the table is out of date */
  settle(table: RouteTable, nowMs: number): boolean {
    if (this.leaving.size === 0) return false;
    const able = table.entries.filter(fit);
    const needed = able.length > 0 && able.every(({ index }) => this.leaving.has(index));
    if (needed && nowMs < this.leaveByMs) return false;
    for (const index of this.leaving) {
      this.port.discharge(index);
      this.part(this.members[index]?.node);
      this.members[index] = undefined;
    }
    this.leaving.clear();
    return true;
  }

  async close(graceMs: number): Promise<void> {
    const nodes = [...this.parting, ...this.members.map((member) => member?.node)];
    await Promise.all(nodes.map((node) => node?.close(graceMs)));
  }

  private leave(index: number, nowMs: number): void {
    this.leaving.add(index);
    this.leaveByMs = nowMs + HANDOVER_MS;
    this.port.hide(index);
  }

  private revise(index: number, { config, node }: Member, next: UpstreamConfig, reopen: boolean): void {
    if (JSON.stringify(config) !== JSON.stringify(next)) this.port.revise(next, index);
    if (!reopen && sameSockets(config, next)) {
      this.members[index] = { config: next, node };
      return;
    }
    const fresh = this.port.open(next, index);
    this.members[index] = { config: next, node: fresh };
    this.part(node);
    // a probe under way at the old sockets tells nothing any more
    fresh.probe([]);
  }

  /** Closes sockets once the calls at them have ended. */
  private part(node: UpstreamNode | undefined): void {
    if (node === undefined) return;
    this.parting.add(node);
    void node.close(this.graceMs).finally(() => this.parting.delete(node));
  }
}
