import type { Seat } from './judging.ts';
import type { UpstreamNode } from './node.ts';

/** The nodes of a chain as calls reach them, by `RouteEntry.index`. */
export class NodeSet {
  private readonly open: (seat: Seat) => UpstreamNode;
  private readonly seats: ({ readonly generation: number; readonly node: UpstreamNode } | undefined)[] = [];
  /** No new call goes there; those under way finish. */
  private readonly parting = new Set<UpstreamNode>();

  constructor(open: (seat: Seat) => UpstreamNode) {
    this.open = open;
  }

  at(index: number): UpstreamNode | undefined {
    return this.seats[index]?.node;
  }

  /** Makes the nodes these; sockets of the same generation stay. @param graceMs time that calls under way at the others get */
  seat(seats: readonly Seat[], graceMs: number): void {
    const wanted = new Map(seats.map((seat) => [seat.index, seat]));
    for (const [index, held] of this.seats.entries()) {
      if (held === undefined || wanted.get(index)?.generation === held.generation) continue;
      this.seats[index] = undefined;
      this.part(held.node, graceMs);
    }
    for (const seat of seats) this.seats[seat.index] ??= { generation: seat.generation, node: this.open(seat) };
  }

  async close(graceMs: number): Promise<void> {
    const nodes = [...this.parting, ...this.seats.map((held) => held?.node)];
    await Promise.all(nodes.map((node) => node?.close(graceMs)));
  }

  private part(node: UpstreamNode, graceMs: number): void {
    this.parting.add(node);
    void node.close(graceMs).finally(() => this.parting.delete(node));
  }
}
