import type { Fault } from '../base/fault.ts';
import type { AccessConfig, ServerConfig } from '../config/schema.ts';
import type { LogFields } from '../observe/log.ts';
import type { GatewayMetrics } from '../observe/metrics.ts';
import type { Grant } from '../route/admission.ts';
import type { ScanLimits, ScannedCall } from '../rpc/scan.ts';
import type { CallTrace } from './callTrace.ts';
import type { ChainRuntime } from './chain.ts';
import type { Inner } from './innerPort.ts';
import type { GatewayWorld } from './node.ts';
import type { Paths } from './paths.ts';
import type { Vantage } from './vantage.ts';

/** What serving shares over all requests of the process. */
export interface ServeParts {
  readonly world: GatewayWorld;
  readonly server: ServerConfig;
  readonly access: AccessConfig;
  /** Log each Nth call; 0 = none. */
  readonly sampleEvery: number;
  readonly metrics: GatewayMetrics;
  readonly paths: Paths<ChainRuntime>;
}

/** Whose call it is. */
export interface Client {
  /** What keeps a client's calls on one node: the name of its key, else its address; '' = not known. */
  readonly clientName: string;
  /** What its calls count against; null = nothing. */
  readonly grant: Grant | null;
  /** It wants no stored answer (`cache-control: no-cache`). */
  readonly noCache: boolean;
  /** Large answers can go to it as they come. */
  readonly streams?: boolean;
  /** Is told the way of a call whose client asked for it; null = nobody did. */
  readonly trace: CallTrace | null;
  /** The chain as its calls see it; those of a batch see the same one. Taken anew where the chain moved under a call. */
  vantage: Vantage;
  /** Its calls are our own, parts of a client's call. */
  readonly inner?: Inner;
  /** Its calls are the entries of one batch. */
  readonly inBatch: boolean;
  /** `eth_subscribe` and `eth_unsubscribe`, which no node is asked. @returns raw JSON of the result */
  subscription(call: ScannedCall): string | Fault;
}

/** The process as a call under way sees it. */
export interface ServeContext {
  readonly parts: ServeParts;
  /** Calls under way. */
  inFlight: number;
  /** An id for a call of ours to a node; unique among those under way. */
  nextId(): number;
  /** Logs each Nth call, where the config asks for it. */
  sample(facts: LogFields): void;
}

/** The process as a request sees it. */
export interface RequestHost extends ServeContext {
  readonly limits: ScanLimits;
}
