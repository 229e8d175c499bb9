import type { UpstreamConfig } from '../config/schema.ts';
import type { RouteEntry, RouteTable } from '../health/table.ts';
import type { Seat } from './judging.ts';
import type { NodeWatch } from './nodeWatch.ts';

/** Longest time that removed nodes serve on because none of the others can yet. */
const HANDOVER_MS = 30_000;

/** Where a roster's changes take effect. Indices are `RouteEntry.index`. */
export interface RosterPort {
  /** Starts to watch a node. */
  open(config: UpstreamConfig, index: number): NodeWatch;
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
  readonly nowMs: number;
}

/** A node as the roster keeps it. */
type Place = Pick<Seat, 'index' | 'config' | 'generation'>;

interface Member extends Place {
  readonly watch: NodeWatch;
}

const fit = (entry: RouteEntry): boolean => (entry.state === 'serving' || entry.state === 'ramping') && entry.weight > 0;

/** Whether the sockets of the one do for the other. */
const sameSockets = (a: UpstreamConfig, b: UpstreamConfig): boolean =>
  a.ws === b.ws && a.connections === b.connections && a.maxInFlight === b.maxInFlight && JSON.stringify([a.headers, a.batch, a.transport, a.sockets]) === JSON.stringify([b.headers, b.batch, b.transport, b.sockets]);

/**
 * The nodes of a chain. Removed ones leave at once where another node can serve, else when one of the others can, so a
 * chain whose nodes are all replaced is never without one.
 */
export class Roster {
  private readonly port: RosterPort;
  private readonly members: (Member | undefined)[] = [];
  private readonly leaving = new Set<number>();
  private leaveByMs = 0;
  private generations = 0;

  constructor(port: RosterPort) {
    this.port = port;
  }

  /** Begins with nodes that are judged already, by their order. */
  begin(configs: readonly UpstreamConfig[]): void {
    for (const [index, config] of configs.entries()) this.join(config, index);
  }

  watch(index: number): NodeWatch | undefined {
    return this.members[index]?.watch;
  }

  /** The nodes that calls may be sent to. */
  get places(): readonly Place[] {
    return this.members.filter((member) => member !== undefined).map(({ index, config, generation }) => ({ index, config, generation }));
  }

  /** Removed from the config, serving on until others can. */
  isLeaving(index: number): boolean {
    return this.leaving.has(index);
  }

  /** Makes the nodes these. One whose `http` is another is a new node. `settle` must follow. */
  apply(configs: readonly UpstreamConfig[], change: RosterChange): void {
    const wanted = new Map(configs.map((config) => [config.name, config]));
    for (const [index, member] of this.members.entries()) {
      if (member === undefined || this.leaving.has(index)) continue;
      const next = wanted.get(member.config.name);
      if (next?.http !== member.config.http) this.leave(index, change.nowMs);
      else {
        wanted.delete(next.name);
        this.revise(index, member, next, change.reopen);
      }
    }
    for (const config of wanted.values()) this.join(config, this.port.enlist(config));
  }

  /** Lets the leaving go where that is possible. @returns true when some went, so that the table is out of date */
  settle(table: RouteTable, nowMs: number): boolean {
    if (this.leaving.size === 0) return false;
    const able = table.entries.filter(fit);
    const needed = able.length > 0 && able.every(({ index }) => this.leaving.has(index));
    if (needed && nowMs < this.leaveByMs) return false;
    for (const index of this.leaving) {
      this.port.discharge(index);
      void this.members[index]?.watch.close();
      this.members[index] = undefined;
    }
    this.leaving.clear();
    return true;
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member?.watch.close()));
  }

  private join(config: UpstreamConfig, index: number): NodeWatch {
    const watch = this.port.open(config, index);
    this.members[index] = { index, config, watch, generation: ++this.generations };
    return watch;
  }

  private leave(index: number, nowMs: number): void {
    this.leaving.add(index);
    this.leaveByMs = nowMs + HANDOVER_MS;
    this.port.hide(index);
  }

  private revise(index: number, member: Member, next: UpstreamConfig, reopen: boolean): void {
    const { config, watch } = member;
    if (JSON.stringify(config) !== JSON.stringify(next)) this.port.revise(next, index);
    if (!reopen && sameSockets(config, next)) {
      this.members[index] = { ...member, config: next };
      return;
    }
    void watch.close();
    // a probe under way at the old sockets tells nothing any more
    this.join(next, index).probe([]);
  }
}
