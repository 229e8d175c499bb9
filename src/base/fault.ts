/** Whose doing a fault is. Only `node` counts against an upstream's health. */
export type FaultSource = 'client' | 'node' | 'self' | 'chain';

/** One row of the error table: everything that is decided once, where the fault is born. */
export interface FaultSpec {
  /** Stable name, used in logs, metrics (`outcome`) and docs. */
  readonly kind: string;
  /** JSON-RPC error code the client sees. */
  readonly code: number;
  /** HTTP status when this is the answer to a single request; inside a batch it is always 200. */
  readonly status: number;
  readonly source: FaultSource;
  /** Default text the client sees. Never holds an upstream's URL or key. */
  readonly message: string;
  /** When it happens, for the table in the docs. */
  readonly cause: string;
}

const row = (
  kind: string,
  [code, status, source]: readonly [code: number, status: number, source: FaultSource],
  message: string,
  cause: string,
): FaultSpec => ({ kind, code, status, source, message, cause });

/**
 * Every error that Tidegate itself can answer. `docs/errors.md` lists the same rows; a test compares both ways.
 * Codes: JSON-RPC 2.0 section 5.1 and EIP-1474 (-32005 limit exceeded, -32000…-32099 server).
 */
export const FAULTS = {
  parse: row('parse', [-32700, 400, 'client'], 'parse error', 'The body is not one JSON text in valid UTF-8.'),
  depth: row('depth', [-32700, 400, 'client'], 'parse error: nesting too deep', 'Nesting is over server.maxDepth.'),
  invalidRequest: row('invalidRequest', [-32600, 400, 'client'], 'invalid request', 'The JSON is not a JSON-RPC 2.0 request object, or a member of it occurs twice or in another case.'),
  emptyBatch: row('emptyBatch', [-32600, 400, 'client'], 'invalid request: empty batch', 'The batch has no entry.'),
  batchTooLong: row('batchTooLong', [-32005, 413, 'client'], 'batch too long', 'The batch has more entries than server.maxBatchItems.'),
  methodTooLong: row('methodTooLong', [-32600, 400, 'client'], 'invalid request: method name too long', 'The method name is over server.maxMethodBytes.'),
  methodNotFound: row('methodNotFound', [-32601, 200, 'client'], 'the method does not exist or is not available', 'The method is unknown and methods.unknown is refuse.'),
  methodRefused: row('methodRefused', [-32601, 200, 'client'], 'the method is not allowed here', 'The method is guarded and not in methods.allow, is in methods.deny, or is of a dev family.'),
  methodUnsupported: row('methodUnsupported', [-32601, 200, 'node'], 'no node behind this gateway supports the method', 'Every candidate lacks the method or the capability it needs.'),
  invalidParams: row('invalidParams', [-32602, 200, 'client'], 'invalid params', 'The params cannot be what the method takes.'),
  rangePastHead: row('rangePastHead', [-32602, 200, 'client'], 'block range extends beyond current head block', 'A log query ends above the head of the chain.'),
  rangeReversed: row('rangeReversed', [-32602, 200, 'client'], 'invalid block range params', 'A log query begins above the block that it ends with.'),
  rangeTooLarge: row('rangeTooLarge', [-32005, 200, 'client'], 'block range too large', 'With the limits of the nodes a log query would take more than logs.maxCalls calls.'),
  logsTooLarge: row('logsTooLarge', [-32005, 200, 'client'], 'the logs asked for are too many for one answer', 'The logs of a query are over logs.maxAnswerBytes.'),
  filterNotFound: row('filterNotFound', [-32000, 200, 'client'], 'filter not found', 'The filter was never made, was uninstalled, was not read within logs.filters.idleMs, or was dropped because its changes could not be told whole.'),
  tooManyFilters: row('tooManyFilters', [-32005, 429, 'client'], 'too many filters', 'The client has logs.filters.maxPerClient filters, or all clients together logs.filters.max.'),
  bodyTooLarge: row('bodyTooLarge', [-32005, 413, 'client'], 'request body too large', 'The body, as sent or after inflation, is over server.maxBodyBytes or server.maxInflatedBytes.'),
  bodyTimeout: row('bodyTimeout', [-32000, 408, 'client'], 'request body not received in time', 'The body did not arrive within server.bodyTimeoutMs.'),
  badFraming: row('badFraming', [-32600, 400, 'client'], 'bad request framing', 'Duplicate or conflicting Content-Length, Transfer-Encoding or Host headers, or a malformed header.'),
  headerTooLarge: row('headerTooLarge', [-32005, 431, 'client'], 'request header too large', 'The header is over server.maxHeaderBytes.'),
  httpMethod: row('httpMethod', [-32600, 405, 'client'], 'use POST', 'The HTTP method is not POST, OPTIONS or a WebSocket upgrade.'),
  mediaType: row('mediaType', [-32600, 415, 'client'], 'unsupported content type or encoding', 'Content-Type is not JSON, or Content-Encoding is neither gzip nor identity.'),
  chunkedRefused: row('chunkedRefused', [-32600, 411, 'client'], 'content-length required', 'server.refuseChunked is on and the body is chunked, or a POST announces no body at all.'),
  httpVersion: row('httpVersion', [-32600, 505, 'client'], 'use HTTP/1.1', 'The request is not HTTP/1.1.'),
  badUpgrade: row('badUpgrade', [-32600, 400, 'client'], 'bad WebSocket upgrade', 'The request asks for a WebSocket, but not as RFC 6455 has it, or server.webSocket.enabled is off.'),
  upgradeVersion: row('upgradeVersion', [-32600, 426, 'client'], 'use WebSocket version 13', 'Sec-WebSocket-Version is not 13.'),
  tooManySubscriptions: row('tooManySubscriptions', [-32005, 429, 'client'], 'too many subscriptions or connections', 'The connection is at server.webSocket.maxSubscriptions, or its address or key at its limit of connections.'),
  subscriptionNotFound: row('subscriptionNotFound', [-32000, 200, 'client'], 'subscription not found', 'eth_unsubscribe names no subscription of this connection.'),
  noSubscriptions: row('noSubscriptions', [-32601, 200, 'client'], 'notifications need a WebSocket', 'eth_subscribe or eth_unsubscribe came over HTTP.'),
  expectation: row('expectation', [-32600, 417, 'client'], 'unsupported expectation', 'Expect is not 100-continue.'),
  notFound: row('notFound', [-32600, 404, 'client'], 'no such chain', 'The path names no configured chain.'),
  unauthorized: row('unauthorized', [-32001, 401, 'client'], 'a valid key is required', 'The key is missing or unknown.'),
  forbidden: row('forbidden', [-32001, 403, 'client'], 'not allowed', 'The key or the origin may not do this.'),
  rateLimited: row('rateLimited', [-32005, 429, 'client'], 'rate limit exceeded', 'The client is over its rate or concurrency.'),
  overBudget: row('overBudget', [-32005, 429, 'self'], 'every node that can take the call is at its rate limit', 'Every node that could take the call has used up its budget, and routing.budgetWaitMs is not enough for one to have some again.'),
  overloaded: row('overloaded', [-32005, 503, 'self'], 'the gateway is at its limit', 'server.maxInFlight calls are under way; or every node that could take the call has as many as its maxInFlight, and routing.budgetWaitMs was not enough for one of them to end.'),
  noUpstream: row('noUpstream', [-32000, 503, 'node'], 'no upstream can answer now', 'No candidate is up, or every one failed before the deadline.'),
  deadline: row('deadline', [-32000, 503, 'node'], 'no upstream answered in time', 'The call reached its deadline.'),
  badAnswer: row('badAnswer', [-32000, 503, 'node'], 'the upstream answered garbage', 'The answer was not a JSON-RPC answer to this call.'),
  noState: row('noState', [-32000, 503, 'node'], 'no node has the state of so old a block', 'The call reads the state of a block that is older than what any node keeps which can take it: all of them have capabilities.archive false.'),
  notAtHead: row('notAtHead', [-32000, 503, 'node'], 'no node has reached the head of the chain yet', 'No node that could take the call has the block that clients have seen already, and none got there within view.maxWaitMs.'),
  minBlock: row('minBlock', [-32000, 503, 'node'], 'the block in x-tidegate-min-block is not known here yet', 'The trusted head is below the block that the client has seen, or on another branch, and did not get there within view.maxWaitMs.'),
  minBlockForm: row('minBlockForm', [-32600, 400, 'client'], 'x-tidegate-min-block must be a block number or number:hash', 'The header cannot be read.'),
  responseTooLarge: row('responseTooLarge', [-32005, 200, 'node'], 'the answer is too large', 'The answer is over server.maxResponseBytes, or server.maxStreamBytes where it is handed on as it comes.'),
  sentUnknown: row('sentUnknown', [-32000, 503, 'node'], 'the call was sent but its fate is unknown; it was not sent twice', 'A call that must not run twice lost its node after it was sent.'),
  draining: row('draining', [-32000, 503, 'self'], 'shutting down', 'The process is draining.'),
  internal: row('internal', [-32603, 500, 'self'], 'internal error', 'A bug; the log has the details.'),
} as const satisfies Record<string, FaultSpec>;

export type FaultKind = keyof typeof FAULTS;

/** A fault that a client will see. Cheap: no stack is taken. */
export class Fault {
  readonly spec: FaultSpec;
  /** Text for the client: the table's, or that with a place added. */
  readonly message: string;
  /** Raw JSON for the error's `data`, or null. */
  readonly dataRaw: string | null;
  /** `Retry-After` in seconds, or 0. */
  readonly retryAfterS: number;

  constructor(kind: FaultKind, detail = '', dataRaw: string | null = null, retryAfterS = 0) {
    this.spec = FAULTS[kind];
    this.message = detail === '' ? this.spec.message : `${this.spec.message}: ${detail}`;
    this.dataRaw = dataRaw;
    this.retryAfterS = retryAfterS;
  }
}
