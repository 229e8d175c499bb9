/** State of an upstream (DESIGN 1). */
export type UpstreamState = 'serving' | 'ramping' | 'cordoned' | 'ejected' | 'probation' | 'down';

/** Why a state holds; a closed set, also used as metric label. */
export type StateReason =
  | 'new' | 'ok' | 'operator'
  | 'probe-refused' | 'probe-timeout' | 'probe-bad'
  | 'lag' | 'stalled' | 'syncing' | 'failures' | 'latency' | 'wrong-chain' | 'fork' | 'lying-head';
