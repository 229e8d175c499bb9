import type { JudgeEvent } from '../health/report.ts';
import type { Logger } from '../observe/log.ts';

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
    log.warn({ chain, fromNumber: event.head.fromNumber, depth: event.head.depth, finalityBroken: event.head.finalityBroken }, 'reorg');
  } else if (event.head.kind === 'halted') {
    log.warn({ chain, head: event.head.number }, 'the chain has halted: nobody advances, nobody is ejected for it');
  } else if (event.head.kind === 'resumed') {
    log.info({ chain, head: event.head.number }, 'the chain moves on');
  }
}
