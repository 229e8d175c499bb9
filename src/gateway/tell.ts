import type { JudgeEvent, UpstreamReport } from '../health/report.ts';
import type { Logger } from '../observe/log.ts';
import type { FeedEvent } from './eventFeed.ts';

/** Writes what the judge of a chain tells, one line each. */
export function tellEvent(chain: string, event: JudgeEvent, log: Logger): void {
  if (event.kind === 'state') {
    const fields = { chain, upstream: event.name, from: event.from, to: event.to, reason: event.reason };
    const bad = event.to === 'down' || event.to === 'ejected';
    if (bad) log.warn(fields, event.why);
    else log.info(fields, event.why);
  } else if (event.kind === 'panic') {
    log.warn({ chain, serving: event.serving, total: event.total }, event.on ? 'panic: judgements are suspended' : 'panic is over');
  } else if (event.head.kind === 'reorg') {
    const { fromNumber, depth, finalityBroken } = event.head;
    if (finalityBroken) log.error({ chain, fromNumber, depth, finalityBroken }, 'reorg below a block that was called final: stored answers from there up are dropped');
    else log.warn({ chain, fromNumber, depth, finalityBroken }, 'reorg');
  } else if (event.head.kind === 'halted') {
    log.warn({ chain, head: event.head.number }, 'the chain has halted: nobody advances, nobody is ejected for it');
  } else if (event.head.kind === 'resumed') {
    log.info({ chain, head: event.head.number }, 'the chain moves on');
  }
}

/** What a state was judged by. */
function evidenceOf({ headNumber, lagBlocks, lagSeconds, failureRate, samples, p50Ms, p99Ms, peers, ejections }: UpstreamReport): object {
  return { headNumber, lagBlocks, lagSeconds, failureRate, samples, p50Ms, p99Ms, peers, ejections };
}

/** The same for readers of the admin port. @param reportOf tells of a node by its index */
export function feedEvent(chain: string, event: JudgeEvent, reportOf: (index: number) => UpstreamReport | undefined): FeedEvent | null {
  if (event.kind === 'panic') return { kind: 'panic', data: { chain, on: event.on, serving: event.serving, total: event.total } };
  if (event.kind === 'state') {
    const { index, name, from, to, reason, why } = event;
    const report = reportOf(index);
    return { kind: 'upstream', data: { chain, upstream: name, from, to, reason, why, ...(report === undefined ? {} : { evidence: evidenceOf(report) }) } };
  }
  const { head } = event;
  if (head.kind === 'advanced') return { kind: 'head', data: { chain, number: head.number, hash: head.hash } };
  if (head.kind === 'reorg') return { kind: 'reorg', data: { chain, fromNumber: head.fromNumber, depth: head.depth, number: head.number, hash: head.hash, finalityBroken: head.finalityBroken } };
  return head.kind === 'finalized' ? null : { kind: 'chain', data: { chain, is: head.kind, number: head.number } };
}
