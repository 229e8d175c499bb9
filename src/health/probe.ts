import type { BlockMark, Head } from '../chain/head.ts';

/** A node answered its probe. */
export interface ProbeOk {
  readonly kind: 'ok';
  readonly head: Head;
  /** Absent where the node or the chain knows no such tag. */
  readonly safe?: BlockMark | undefined;
  readonly finalized?: BlockMark | undefined;
  /** Hashes at the heights that the prober was asked to compare (`ChainJudge.checkNumbers`); absent when none were asked. */
  readonly marks?: readonly BlockMark[] | undefined;
  /** `eth_syncing` said anything but false. */
  readonly syncing: boolean;
  /** `net_peerCount`; null when the node refuses the method. */
  readonly peers: number | null;
  /** `eth_chainId`; null when it was not asked this time. */
  readonly chainId: number | null;
  /** `web3_clientVersion`; null when it was not asked this time or is refused. */
  readonly clientVersion: string | null;
  /** Time of the head question alone. */
  readonly latencyMs: number;
}

/**
 * A node gave no usable answer to its probe: `refused` (connection refused, reset, DNS, TLS),
 * `timeout` (none in time), `bad` (an answer that is no head), `throttled` (asked too often; says nothing of its health). `detail` holds no URL and no key.
 */
export interface ProbeFailure {
  readonly kind: 'refused' | 'timeout' | 'bad' | 'throttled';
  readonly detail: string;
}

/** What one probe of one node came to. */
export type ProbeResult = ProbeOk | ProbeFailure;
