import { hashString } from '../base/hash.ts';
import type { HeadTracker } from '../chain/heads.ts';
import type { RouteEntry, RouteTable } from './table.ts';
import type { NodeHealth } from './node.ts';

/** Who serves, as decided. */
export interface Service {
  readonly serving: readonly number[];
  readonly panic: boolean;
}

function entryOf(node: NodeHealth, heads: HeadTracker, service: Service, nowMs: number): RouteEntry {
  const { machine, upstream, pace } = node;
  const head = heads.headOf(node.index);
  const share = machine.share(nowMs);
  // Out of service by judgement, yet serving: panic gives it its plain weight.
  const part = share > 0 ? share : service.serving.includes(node.index) ? 1 : 0;
  return {
    index: node.index,
    name: upstream.name,
    seed: hashString(upstream.name),
    state: node.removed ? 'cordoned' : machine.state,
    tier: upstream.tier,
    weight: node.removed ? 0 : node.weight * node.score * part,
    headNumber: head?.number ?? -1,
    headHash: head?.hash ?? '',
    client: node.client,
    agreedNumber: heads.agreedAt(node.index),
    lacks: node.lacks,
    lowestState: node.learnt.lowestState,
    stateFloor: head === null || upstream.stateBlocks === 0 ? 0 : Math.max(0, head.number - upstream.stateBlocks + 1),
    denied: node.learnt.denied,
    heldUntilMs: node.hold.untilMs(nowMs),
    maxInFlight: upstream.maxInFlight,
    attemptTimeoutMs: pace.attemptTimeoutMs,
    hedgeDelayMs: pace.hedgeDelayMs,
  };
}

const ENTRY_KEYS = ['state', 'tier', 'weight', 'maxInFlight', 'headNumber', 'headHash', 'client', 'agreedNumber', 'lacks', 'lowestState', 'stateFloor', 'denied', 'heldUntilMs', 'attemptTimeoutMs', 'hedgeDelayMs'] as const;

const sameEntry = (a: RouteEntry, b: RouteEntry | undefined): boolean => b !== undefined && ENTRY_KEYS.every((key) => a[key] === b[key]);

const sameList = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((value, i) => value === b[i]);

/** The table of this moment: `previous` itself when nothing differs; entries that did not change are the same objects. */
export function paint(previous: RouteTable, nodes: readonly NodeHealth[], heads: HeadTracker, now: Service & { readonly nowMs: number }): RouteTable {
  let same = nodes.length === previous.entries.length;
  const entries = nodes.map((node, i) => {
    const entry = entryOf(node, heads, now, now.nowMs);
    const old = previous.entries[i];
    if (old !== undefined && sameEntry(entry, old)) return old;
    same = false;
    return entry;
  });
  const trusted = heads.trusted();
  const trustedNumber = trusted?.number ?? -1;
  const trustedHash = trusted?.hash ?? '';
  const finalizedNumber = heads.finalized()?.number ?? -1;
  same &&= previous.trustedNumber === trustedNumber && previous.trustedHash === trustedHash && previous.finalizedNumber === finalizedNumber;
  same &&= previous.panic === now.panic && sameList(previous.serving, now.serving);
  if (same) return previous;
  const serving = sameList(previous.serving, now.serving) ? previous.serving : now.serving;
  return { version: previous.version + 1, chain: previous.chain, trustedNumber, trustedHash, finalizedNumber, panic: now.panic, entries, serving };
}

/** The table before anything is known: nobody serves. */
export function blankTable(chain: string): RouteTable {
  return { version: 0, chain, trustedNumber: -1, trustedHash: '', finalizedNumber: -1, panic: false, entries: [], serving: [] };
}
