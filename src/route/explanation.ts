import type { FaultKind } from '../base/fault.ts';
import type { Access, Capability, MethodClass } from '../chain/method.ts';
import type { UpstreamState } from '../health/state.ts';
import type { AffinityKind } from './affinity.ts';
import type { Exclusion } from './explain.ts';

/** Why the caller would get an error without any node being asked. */
export interface RefusalFacts {
  readonly kind: FaultKind;
  /** JSON-RPC error code. */
  readonly code: number;
  readonly message: string;
}

/** What the catalogue says of the method. */
export interface MethodFacts {
  /** False: the catalogue does not list it. */
  readonly listed: boolean;
  readonly class: MethodClass;
  readonly access: Access;
  readonly retryable: boolean;
  readonly hedgeable: boolean;
  readonly idempotent: boolean;
  /** What keeps such calls on one node. */
  readonly affinity: AffinityKind;
  /** What a node must be able to do. */
  readonly capability: Capability | null;
  /** Cost in units. */
  readonly cost: number;
}

/** One reason, and the same in words with its numbers. */
export interface Reason {
  readonly reason: Exclusion;
  readonly words: string;
}

/** One node, as the call sees it. */
export interface NodeFacts {
  readonly name: string;
  readonly tier: number;
  readonly state: UpstreamState;
  readonly weight: number;
  readonly score: number;
  /** Distance from the call's key, smaller is nearer; null without weight. */
  readonly distance: number | null;
  readonly inFlight: number;
  readonly headNumber: number;
  /** What speaks against it; of a candidate, what is put up with because nobody is better. */
  readonly reasons: readonly Reason[];
}

/** A node that the call can go to. */
export interface CandidateFacts extends NodeFacts {
  /** Time an attempt may take there while another node could be asked. */
  readonly attemptTimeoutMs: number;
  readonly hedgeDelayMs: number;
}

/** What would happen when the first node fails or is slow. */
export interface FailureFacts {
  /** Most sends, the first one, retries and hedges together. */
  readonly maxAttempts: number;
  /** Time that the first attempt gets. */
  readonly attemptTimeoutMs: number;
  /** When a second node would be asked beside the first; null = never. */
  readonly hedgeAfterMs: number | null;
  readonly deadlineMs: number;
  /** Retries and hedges that the chain's budget would allow now. */
  readonly budgetLeft: number;
  readonly words: string;
}

/** What the cache would do. */
export interface CacheFacts {
  /** How long the answer can be used again; null = the cache is off. */
  readonly class: 'static' | 'finalized' | 'unfinalized' | 'head' | 'never' | null;
  /** Block that the answer is about; -1 = none, or not known before the answer. */
  readonly block: number;
  /** In the memory of the process that was asked. */
  readonly stored: boolean;
  readonly words: string;
}

/** The chain as the call's client would see it. */
export interface ViewFacts {
  /** `number:hash` of the trusted head, or ''. */
  readonly block: string;
  /** Height up to which a node's word must equal the trusted chain's, -1 = any node will do. */
  readonly trustedBlock: number;
  /** No other node will do: the call waits for one, and is refused where none gets there. */
  readonly firm: boolean;
  readonly pinning: 'auto' | 'always' | 'never';
  /** The params with the block that tags stand for now, as a node gets them where pinning is due; '' = they stay as they are. */
  readonly pinnedParams: string;
}

/** What would happen to a call now; nothing was sent to find out. */
export interface Explanation {
  readonly chain: string;
  readonly method: string;
  /** As given. */
  readonly params: string;
  /** Null where the method is refused or no call at all. */
  readonly facts: MethodFacts | null;
  /** Whose doing it is when no node would be asked; null = the call would be sent. */
  readonly refusal: RefusalFacts | null;
  /** Height that a node must have told of, -1 = any. */
  readonly requiredBlock: number;
  /** Block whose state is read, -1 = none or unknown. */
  readonly stateBlock: number;
  /** Null where the method is refused. */
  readonly cache: CacheFacts | null;
  /** Null where no node would be asked. */
  readonly view: ViewFacts | null;
  readonly panic: boolean;
  /** In the order in which they would be tried. */
  readonly candidates: readonly CandidateFacts[];
  readonly excluded: readonly NodeFacts[];
  readonly onFailure: FailureFacts | null;
}
