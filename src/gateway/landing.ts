import type { Fault } from '../base/fault.ts';
import type { Flights, Passenger } from '../cache/flight.ts';
import type { AttemptResult } from '../route/attemptPort.ts';
import type { NodeAnswer } from './attemptSink.ts';

/** A node's answer to a call. */
export type Reply = Extract<AttemptResult<NodeAnswer>, { kind: 'reply' }>;

/** What a leader's call came to, for those that wait for it. `anew`: it began on another chain than theirs. */
export type Landing =
  | { readonly kind: 'reply'; readonly result: Reply; readonly upstream: string; readonly raised: boolean }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'anew' };

/** One call among equal ones. */
export interface Aboard extends Passenger<Landing> {
  /** Nobody waits for its answer any more. */
  stop(): void;
}

/** Equal calls of one chain that are under way as one. */
export type CallFlights = Flights<Landing, Aboard>;
