/**
 * Phrases of error messages. All are read without regard to letter case, and most are anchored to where the speaker
 * puts them: a loose phrase such as "rate limit" or "not found" also occurs in answers that mean something else.
 */

/** `(?:^|: )`: at the start, or after the wrapper of a client or library. */
const START = '(?:^|: )';

const any = (...phrases: readonly string[]): RegExp => new RegExp(phrases.join('|'), 'i');

/** The pool has this very transaction. */
export const ALREADY_KNOWN = any(
  `${START}already known`, `${START}known transaction`, '^alreadyknown', 'already imported', 'already in (?:the )?(?:tx ?pool|mempool)',
  'already exists in (?:the )?(?:tx ?pool|mempool)', '^transaction already exists', 'already have transaction',
);

/** The sender's nonce has moved past the transaction's: it, or another with its nonce, is in the chain. */
export const NONCE_TOO_LOW = any(`${START}nonce too low`, '^oldnonce', 'nonce is too low', 'nonce has already been used', 'nonce below sender account nonce');

/** The chain's and the caller's own: never the node's fault. */
export const CHAIN_TEXTS = {
  revert: any(
    'execution reverted', '^reverted\\b', '^(?:error: )?vm exception while processing transaction',
    '^vm execution error', '^(?:the )?transaction (?:has been |was )?reverted', '^evm revert',
  ),
  badArgument: any(
    '^invalid argument \\d+:', '^missing value for required argument', '^too many arguments, want at most', '^non-array args',
    '^json: cannot unmarshal', '^cannot unmarshal',
  ),
  mempool: any(
    ALREADY_KNOWN.source, NONCE_TOO_LOW.source,
    `${START}nonce too high`, `${START}nonce too far in the future`, '^incorrect nonce', '^noncegap', `${START}gapped[- ]nonce`,
    '(?:replacement )?transaction underpriced', '(?:fee|price|tip)[ a-z]* too low', '^feetoolow', 'gas price below (?:configured )?(?:minimum|current)',
    'max fee per gas less than block base fee', 'max fee per blob gas less than block blob gas fee',
    'could not replace existing tx', 'existing transaction had higher priority', 'newer transaction had higher priority',
    '^transaction fee too low', '^(?:transaction )?rejected$', 'tx fee \\([^)]*\\) exceeds the configured cap', 'fee ?cap exceeded',
    `${START}account limit exceeded`, 'in-flight transaction limit reached', 'address already reserved', 'sender account not authorized',
    `${START}future transaction tries to replace pending`,
  ),
  poolFull: any(`${START}txpool is full`, `${START}transaction pool is full`, '^mempool is full', 'over tx-?pool max capacity'),
  transaction: any(
    `${START}insufficient funds`, `${START}insufficient balance`, 'upfront cost exceeds account balance', "sender doesn't have enough funds",
    `${START}intrinsic gas`, `${START}insufficient gas for floor data gas cost`, `${START}gas limit (?:too high|reached|overflow)`, `${START}exceeds block gas limit`,
    'transaction gas limit (?:too high|exceeds)', `${START}exceeds max transaction gas limit`, `${START}gas uint64 overflow`,
    `${START}nonce has max value`, `${START}negative value`, `${START}oversized data`, 'max initcode size exceeded', 'max code size exceeded',
    `${START}sender (?:is )?not an eoa`, `${START}invalid sender`, `${START}invalid (?:transaction )?signature`, `${START}invalid chain ?id`, '^wrong chain ?id',
    '^chainid not supported', '^only replay-protected', `${START}max (?:priority )?fee per gas higher than`, '^both gasprice and',
    `${START}blob transaction`, `${START}transaction blob limit exceeded`, 'eip-7702', `${START}transaction type not supported`, '^invalid transaction type',
    `${START}tx type \\d+ not supported`, 'gas required exceeds allowance', '^always failing transaction', 'required gas exceeds',
  ),
  undecodable: any(
    '^rlp: ', '^typed transaction too short', '^transaction too short', '^failed to decode', '^empty (?:raw )?transaction', '^invalid transaction\\b',
    'hex string', '^invalid raw transaction', '^transaction could not be decoded', '^invalid params',
  ),
  senderLimit: any('sender is over rate limit'),
  evm: any(
    `${START}out of gas`, '^out of memory: memory limit', '^evm error', '^gas too low', `${START}invalid opcode`, `${START}invalid jump destination`, `${START}stack (?:under|over)flow`,
    `${START}write protection`, `${START}return data out of bounds`, `${START}max call depth exceeded`, `${START}contract address collision`,
    `${START}invalid code: must not begin with 0xef`, `${START}contract creation code storage out of gas`, '^bad instruction', '^bad jump destination',
    '^err: .*\\(supplied gas \\d+\\)$', '^evm: ', '^rpc gas cap exhausted',
  ),
  callersBlock: any(
    '^filter not found', '^logs filter not found', '^subscription not found', '^invalid block range', '^genesis is not traceable', '^invalid from and to block',
    '^cannot specify both blockhash and', '^exceed max (?:topics|addresses)', '^end block .* needs to come after start block',
    '^(?:pending|safe|finalized) is not (?:a )?supported', '^tracing on top of pending is not supported', '^invalid reward percentile', '^tracer not found',
    '^insufficient data for', '^block parameter',
  ),
} as const;

/** Limits of an answer, a plan or a rate. */
export const LIMIT_TEXTS = {
  range: any(
    'query returned more than', 'returned more than \\d+', 'logs? matched by query exceeds limit', 'more than [\\d,]+ (?:results|logs)', 'logs over more',
    '(?:block )?range (?:is )?too (?:large|wide|big)', 'range limit exceeded', 'exceeds? (?:the |rpc )?(?:max(?:imum)? )?(?:rpc )?(?:block )?range', 'exceed(?:s|ed)? max block range',
    'maximum block range', 'max(?:imum)? block range', '^max range', 'block range limit', 'range exceeds maximum', 'maximum (?:rpc )?range', 'over the query limit',
    'limit(?:ed)? (?:the query )?to (?:a )?[\\d,]+ (?:blocks?|range)', 'range exceeds', 'maximum .*blocks distance', 'maximum allowed number of requested blocks',
    'this block range should work', 'try with this block range', 'response (?:size|is|body)? ?(?:too (?:large|big)|should not|exceeded|is too (?:large|big))',
    'log response size exceeded', 'response size exceeded', '\\bis too big\\b', 'too large, max is', 'exceeds max results', 'too many results', 'try paginating',
    'query (?:exceeds|timeout exceeded)', 'specify less number of address', 'addresses or topics per search position', 'number of requests exceeds max batch size',
    'block range is too wide', 'logs are limited to', '\\brange:? [\\d,]+ (?:blocks? )?(?:exceeds|is (?:greater|larger) than)', '\\branges? over [\\d,]+ blocks', 'up to (?:a )?[\\d,]+[km]?[- ]blocks? range',
    '^too many (?:addresses|topics)\\b',
  ),
  billing: any(
    'reached the free tier', 'monthly (?:capacity|request|credit)[ a-z]* (?:limit|exceeded|reached)', 'limit for your current plan', '/billing', 'upgrade your (?:tier|plan)',
    'payment required', 'plan has expired', 'out of (?:credits|compute units)', 'no credits? left', 'quota (?:has been )?(?:exhausted|used up)',
  ),
  rate: any(
    'too many requests', 'rate[- ]?limit(?:ed|s)?\\b', '(?:request|requests|call|calls) (?:limit|count)[ a-z]* (?:reached|exceeded)', 'requests limited to', 'request limit reached',
    'exceeded (?:its|the|your)[ a-z]* (?:capacity|quota|limit|throughput)', 'reached the quota', 'compute units per second', 'daily (?:request|limit)[ a-z]*', 'project id request rate exceeded',
    '^capacity exceeded', '^(?:call )?limit exceeded$', 'the call limit has been reached', 'throttled',
  ),
  auth: any(
    'invalid api[- ]?key', 'api[- ]?key (?:is )?(?:missing|invalid|inactive|disabled|expired|required|not found)', 'missing api[- ]?key', 'key is inactive', '^unauthori[sz]ed', 'must be authenticated',
    '^authentication (?:failed|required)', '^forbidden', '^access denied', 'not in (?:the )?whitelist', 'origin (?:is )?not allowed', '^invalid (?:access )?token', 'invalid project id', '^project id (?:is )?required',
  ),
} as const;

/** What is wrong with this node, or not to be had from it. */
export const NODE_TEXTS = {
  executionTimeout: any('execution timeout', 'execution aborted \\(timeout', '^request timed out', '^timed? ?out', '^query timed out', '^timeout exceeded', 'context deadline exceeded', '^the request timed out'),
  missing: any(
    'missing trie node', 'header (?:for hash |[#0-9a-fx]+ )?not found', '\\bblock (?:[#0-9a-fx]+ )?(?:was )?not found', '^unknown block', '^could not find block',
    'block body not found', '^receipts? not found', '^transaction not found', '^cannot find transaction', '^resource not found', 'blockoutofrange', 'request beyond head block', 'after last accepted block',
    'cannot query unfinalized data', 'greater than latest', 'is (?:higher|greater|later) than (?:the )?latest', 'block (?:number|height)[ a-z]* (?:too high|must be less than|passed is invalid)',
    'height (?:is not available|must be less than)', '(?:pending|safe|finalized|latest) (?:block|header|state) (?:is )?not (?:found|available)', 'pending (?:block|state|receipts) is not available',
    'historical state', 'no historical rpc', 'state (?:is )?(?:not available|unavailable|missing)', 'world state (?:is )?(?:un|not )available', 'no state available', 'state histor(?:y|ies)[ a-z]* (?:not|hasn)', 'state at block',
    'pruned history', 'history (?:has been |is |not )?(?:pruned|unavailable)', 'data not available due to pruning', 'has been pruned', 'old data not available', 'requested data is not available', 'pruning', 'distance to target block exceeds',
    'not currently canonical', 'is not canonical', 'invalid blockhash finalized', 'transaction indexing is in progress', 'not indexed', 'genesis state is missing', 'state .* is not available', 'required historical state unavailable',
    'failed to get logs for block', 'expect block number from id', 'blocks specified .* cannot be found', "trie (?:does not|doesn't)",
  ),
  unsupported: any(
    '^(?:the )?method [^ ]* ?(?:does not exist|is not available|not found|is disabled|not supported|is not (?:supported|whitelisted|allowed))', '^method not (?:found|supported|allowed|enabled|available|whitelisted)', '^unsupported method',
    'rpc method is not whitelisted', 'not allowed to access method', 'is not included in your current plan', '^(?:this )?(?:method|module|namespace|api)\\b.* (?:disabled|not enabled|unavailable|not available)', '^notifications not supported',
    'is not (?:available|supported) (?:on|for) (?:this|your) (?:plan|network|chain|endpoint)', '^not implemented', '^unknown method', 'namespace .* (?:is )?disabled', '^tx of type',
  ),
  ill: any(
    '^method handler crashed', '\\bpanic\\b', '(?:leveldb|pebble|database|db|mdbx|rocksdb)[^a-z].*(?:closed|corrupt|full|error|not open)', 'mdbx_', 'no space left on device', 'input/output error', 'too many open files', 'out of memory',
    '^(?:node is )?(?:still )?syncing', 'node is not synced', 'initial sync is still in progress', 'sync(?:ing|hronization)? in progress', '^node is behind', '^(?:node )?(?:is )?shutting down', '^service unavailable', '^bad gateway', '^client is closed', 'connection refused', 'connection reset',
    'no such host', '^internal server error$', '^internal error$', '^eof$', 'unexpected eof', 'failed to read from db', 'state (?:root|database) (?:mismatch|is corrupt)', '^upstream (?:request )?(?:failed|error)', 'no available (?:upstream|node|backend)', 'no backends? available', '^backend is unhealthy', 'no server available',
  ),
  overloaded: any('under too much load', 'server (?:is )?(?:too )?busy', 'try again later', 'overloaded', '^resource unavailable', 'backend response (?:error|timed? ?out)', 'temporarily unavailable'),
} as const;
