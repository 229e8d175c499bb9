import { describe, expect, it } from 'vitest';
import { alreadyKnown, classifyError, classifyStatus, nonceTooLow, ruleOf } from '../../../src/chain/errors/classify.ts';
import { ERROR_RULES } from '../../../src/chain/errors/rules.ts';
import { held, MAX_HOLD_MS, VERDICTS } from '../../../src/chain/errors/verdicts.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import type { MethodSpec } from '../../../src/chain/method.ts';

const catalog = evmCatalog();
const spec = (name: string): MethodSpec => catalog.find(name) ?? catalog.unknownSpec;

/** `class`, with `!` when the node is blamed and `>` when another node may be asked. */
const judge = (name: string, code: number, message: string): string => {
  const outcome = classifyError(code, message, null, spec(name));
  return `${outcome.class}${outcome.blame ? '!' : ''}${outcome.retry === 'other' ? '>' : ''}`;
};

type Case = [method: string, code: number, message: string, expected: string];

describe('classifyError', () => {
  it.each<Case>([
    ['eth_call', 3, 'execution reverted', 'chain'],
    ['eth_call', 3, 'execution reverted: rate limit exceeded', 'chain'],
    ['eth_call', -32000, 'execution reverted: too many requests', 'chain'],
    ['eth_call', -32000, 'execution reverted: header not found', 'chain'],
    ['eth_estimateGas', -32000, 'Execution reverted', 'chain'],
    ['eth_call', -32015, 'VM execution error.', 'chain'],
    ['eth_call', -32603, 'Error: VM Exception while processing transaction: reverted with reason string \'node is syncing\'', 'chain'],
    ['eth_call', -32000, 'Reverted 0x08c379a0', 'chain'],
    ['eth_callMany', 3, 'call_many error in bundle 0 and transaction 1: execution reverted', 'chain'],
    ['eth_call', -32603, 'EVM error InvalidFEOpcode', 'chain'],
    ['eth_call', -32603, 'EVM error OutOfGas', 'chain'],
    ['eth_call', -32000, 'out of gas', 'chain'],
    ['eth_call', -32003, 'out of gas: gas required exceeds: 50000000', 'chain'],
    ['eth_call', -32003, 'out of memory: memory limit exceeded during memory expansion', 'chain'],
    ['eth_call', -32000, 'invalid opcode: INVALID', 'chain'],
    ['eth_call', -32000, 'invalid jump destination', 'chain'],
    ['eth_call', -32000, 'stack underflow (0 <=> 1)', 'chain'],
    ['eth_call', -32003, 'Insufficient funds for gas * price + value', 'chain'],
    ['eth_call', -32000, 'err: insufficient funds for gas * price + value: address 0x1 have 0 want 1 (supplied gas 50000000)', 'chain'],
    ['eth_estimateGas', -32000, 'gas required exceeds allowance (50000)', 'chain'],
    ['eth_estimateGas', -32000, 'insufficient funds for transfer', 'chain'],
    ['eth_simulateV1', -38014, 'any text', 'chain'],
  ])('leaves the chain\'s word as it is: %s %d %s', (method, code, message, expected) => {
    expect(judge(method, code, message)).toBe(expected);
  });

  it.each<Case>([
    ['eth_sendRawTransaction', -32000, 'already known', 'chain'],
    ['eth_sendRawTransaction', -32000, 'Known transaction', 'chain'],
    ['eth_sendRawTransaction', -32010, 'AlreadyKnown', 'chain'],
    ['eth_sendRawTransaction', -32000, 'nonce too low: next nonce 5, tx nonce 4', 'chain'],
    ['eth_sendRawTransaction', -32003, 'nonce too low', 'chain'],
    ['eth_sendRawTransaction', -32001, 'Nonce too low', 'chain'],
    ['eth_sendRawTransaction', -32000, 'nonce too high', 'chain'],
    ['eth_sendRawTransaction', -32000, 'replacement transaction underpriced', 'chain'],
    ['eth_sendRawTransaction', -32000, 'transaction underpriced: gas tip cap 1, minimum needed 2', 'chain'],
    ['eth_sendRawTransaction', -32000, 'could not replace existing tx', 'chain'],
    ['eth_sendRawTransaction', -32000, 'existing transaction had higher priority', 'chain'],
    ['eth_sendRawTransaction', -32010, 'FeeTooLow, MaxFeePerGas too low', 'chain'],
    ['eth_sendRawTransaction', -32009, 'Gas price below configured minimum gas price', 'chain'],
    ['eth_sendRawTransaction', -32000, 'max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 2', 'chain'],
    ['eth_sendRawTransaction', -32000, 'tx fee (1.20 ether) exceeds the configured cap (1.00 ether)', 'chain'],
    ['eth_sendRawTransaction', -32000, 'intrinsic gas too low: gas 1, minimum needed 21000', 'chain'],
    ['eth_sendRawTransaction', -32000, 'exceeds block gas limit', 'chain'],
    ['eth_sendRawTransaction', -32005, 'Transaction gas limit exceeds block gas limit', 'chain'],
    ['eth_sendRawTransaction', -32004, 'Upfront cost exceeds account balance', 'chain'],
    ['eth_sendRawTransaction', -32002, 'Invalid signature', 'chain'],
    ['eth_sendRawTransaction', -32003, 'transaction rejected', 'chain'],
    ['eth_sendRawTransaction', -32000, 'rejected', 'chain'],
    ['eth_sendRawTransaction', -32000, 'invalid sender', 'chain'],
    ['eth_sendRawTransaction', -32017, 'sender is over rate limit', 'chain'],
    ['eth_sendRawTransaction', -32000, 'only replay-protected (EIP-155) transactions allowed over RPC', 'chain'],
    ['eth_sendRawTransaction', -32000, 'txpool is full', 'node>'],
    ['eth_sendRawTransaction', -32602, 'Failed to decode transaction', 'client'],
    ['eth_sendRawTransaction', -32000, 'rlp: expected input list for types.LegacyTx', 'client'],
    ['eth_sendRawTransaction', -32000, 'typed transaction too short', 'client'],
    ['eth_sendRawTransactionSync', 4, 'The transaction was added to the mempool but wasn\'t processed in 20s', 'chain'],
  ])('never blames a node for the mempool\'s verdict: %s %d %s', (method, code, message, expected) => {
    expect(judge(method, code, message)).toBe(expected);
  });

  it.each<Case>([
    ['eth_getBalance', -32602, 'BlockOutOfRangeError: block height is 0 but requested was 16777215', 'missingData>'],
    ['eth_getBalance', -32001, 'Resource not found', 'missingData>'],
    ['eth_getBalance', -32001, 'block not found: hash 0xabc', 'missingData>'],
    ['eth_getBalance', -32000, 'header not found', 'missingData>'],
    ['eth_getBalance', -32000, 'missing trie node 0a1b (path ) state 0x0a1b is not available', 'missingData>'],
    ['eth_call', -32000, 'historical state 0xabc is not available', 'missingData>'],
    ['eth_call', -32000, 'World state unavailable', 'missingData>'],
    ['eth_call', -32002, 'No state available for block 0x1234', 'missingData>'],
    ['eth_call', -39001, 'Unknown block', 'missingData>'],
    ['eth_getLogs', -32000, 'unknown block', 'missingData>'],
    ['eth_getLogs', 4444, 'pruned history unavailable', 'missingData>'],
    ['eth_getLogs', -32602, 'request beyond head block: requested 10, head 5', 'missingData>'],
    ['eth_getLogs', -32000, 'cannot query unfinalized data', 'missingData>'],
    ['eth_getLogs', -32000, 'requested block 5 after last accepted block 4', 'missingData>'],
    ['eth_getBlockByNumber', -32000, 'finalized block not found', 'missingData>'],
    ['eth_getBlockByNumber', -32000, 'pending block is not available', 'missingData>'],
    ['eth_getTransactionReceipt', -32000, 'transaction indexing is in progress', 'missingData>'],
    ['debug_traceTransaction', -32000, 'transaction not found', 'missingData>'],
    ['debug_traceBlockByNumber', -32000, 'block #17 not found', 'missingData>'],
    ['eth_call', -32000, 'hash is not currently canonical', 'missingData>'],
    ['eth_call', -32000, 'old data not available due to pruning', 'missingData>'],
    ['eth_getLogs', -32005, 'query returned more than 10000 results', 'tooLarge>'],
    ['eth_getLogs', -32005, 'Requested range exceeds maximum RPC range limit', 'tooLarge>'],
    ['eth_getLogs', -32602, 'query exceeds max block range 100000', 'tooLarge>'],
    ['eth_getLogs', -32614, 'eth_getLogs is limited to a 10,000 range', 'tooLarge>'],
    ['eth_getLogs', -32602, 'Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range', 'tooLarge>'],
    ['eth_getLogs', -32000, 'block range is too wide', 'tooLarge>'],
    ['eth_getLogs', -32005, 'limit', 'tooLarge>'],
    ['eth_getBlockReceipts', -32003, 'response too large', 'tooLarge>'],
    ['eth_getLogs', -32005, 'query timeout exceeded', 'tooLarge>'],
    ['eth_call', -32000, 'execution timeout', 'node>'],
    ['eth_call', -32000, 'execution aborted (timeout = 5s)', 'node>'],
    ['eth_call', -32002, 'request timed out', 'node>'],
    ['debug_traceCall', -32016, 'anything', 'node>'],
    ['trace_block', -32601, 'the method trace_block does not exist/is not available', 'unsupported>'],
    ['trace_block', -32601, 'Method not found', 'unsupported>'],
    ['eth_getProof', -32004, 'whatever', 'unsupported>'],
    ['eth_getProof', -32000, 'rpc method is not whitelisted', 'unsupported>'],
    ['trace_filter', -32000, 'method trace_filter is not included in your current plan', 'unsupported>'],
    ['debug_traceCall', -32600, 'The method debug_traceCall is not supported', 'unsupported>'],
  ])('asks another node without blame: %s %d %s', (method, code, message, expected) => {
    expect(judge(method, code, message)).toBe(expected);
  });

  it.each<Case>([
    ['eth_call', -32005, 'limit exceeded', 'throttled>'],
    ['eth_call', 429, 'Your app has exceeded its compute units per second capacity.', 'throttled>'],
    ['eth_call', -32007, '15/second request limit reached - reduce calls per second', 'throttled>'],
    ['eth_call', -32005, 'daily request count exceeded, request rate limited', 'throttled>'],
    ['eth_call', -32000, 'Too Many Requests', 'throttled>'],
    ['eth_call', -32016, 'over rate limit', 'throttled>'],
    ['eth_getLogs', -32005, 'rate limit exceeded', 'throttled>'],
    ['eth_call', -32000, 'requests limited to 100/sec', 'throttled>'],
    ['eth_call', -32000, 'Monthly capacity limit exceeded. Visit the dashboard to upgrade', 'auth!>'],
    ['eth_call', -32000, 'invalid api key', 'auth!>'],
    ['eth_call', -32001, 'Unauthorized', 'auth!>'],
    ['eth_blockNumber', -32603, 'Internal error', 'node!>'],
    ['eth_getBalance', -32603, 'some new failure', 'node!>'],
    ['eth_getBalance', -32000, 'leveldb: closed', 'node!>'],
    ['eth_getBalance', -32603, 'method handler crashed', 'node!>'],
    ['eth_call', -32000, 'mdbx_env_open: MDBX_PANIC', 'node!>'],
    ['eth_call', -32000, 'write /data: no space left on device', 'node!>'],
    ['eth_getBalance', -32000, 'Node is syncing', 'node!>'],
    ['eth_sendRawTransaction', -32008, 'Initial sync is still in progress', 'node!>'],
    ['eth_call', -32011, 'no backends available for method', 'node!>'],
    ['eth_call', -32000, 'server is too busy', 'node>'],
    ['eth_call', -32603, 'some new failure', 'node>'],
    ['debug_traceCall', -32603, 'TypeError: x is undefined', 'node>'],
    ['eth_call', -32000, 'some new failure', 'node>'],
    ['custom_thing', -32099, '', 'node>'],
    ['eth_call', -32600, 'Invalid request', 'node>'],
  ])('tells the node\'s own trouble apart: %s %d %s', (method, code, message, expected) => {
    expect(judge(method, code, message)).toBe(expected);
  });

  it.each<Case>([
    ['eth_getBalance', -32602, 'invalid argument 0: hex string without 0x prefix', 'client'],
    ['eth_getBalance', -32602, 'missing value for required argument 0', 'client'],
    ['eth_getBalance', -32602, 'Invalid params', 'client'],
    ['eth_getLogs', -32602, 'invalid block range params', 'client'],
    ['eth_getFilterChanges', -32000, 'filter not found', 'client'],
    ['eth_getLogs', -32000, 'exceed max topics', 'client'],
    ['debug_traceTransaction', -32000, 'genesis is not traceable', 'client'],
  ])('leaves the caller his own mistakes: %s %d %s', (method, code, message, expected) => {
    expect(judge(method, code, message)).toBe(expected);
  });

  it.each<Case>([
    ['rate_limit_exceeded', -32601, 'the method rate limit exceeded does not exist/is not available', 'unsupported>'],
    ['eth_call', -32602, 'invalid argument 0: json: unknown field "invalid api key"', 'client'],
    ['eth_getBalance', -32602, 'invalid type: string "too many requests", expected a block', 'client'],
    ['eth_getBalance', -32602, 'unknown variant `leveldb: closed`', 'client'],
    ['debug_traceCall', -32000, 'rate limit exceeded at step (<eval>:1:1)', 'node>'],
    ['debug_traceTransaction', -32000, 'leveldb: closed', 'node>'],
    ['debug_traceTransaction', -32000, 'invalid api key', 'node>'],
  ])('is not fooled by text that the caller put there: %s %d %s', (method, code, message, expected) => {
    expect(judge(method, code, message)).toBe(expected);
  });

  it('takes the time to stay away from the error\'s data, within a bound', () => {
    const at = (dataRaw: string | null) => classifyError(-32005, 'project ID request rate exceeded', dataRaw, spec('eth_call')).holdMs;
    expect([at(null), at('{}'), at('{"rate":{"backoff_seconds":30}}'), at('{"backoff_seconds": 1.5}'), at('{"backoff_seconds":999999}')])
      .toEqual([0, 0, 30_000, 1500, MAX_HOLD_MS]);
    expect(classifyError(3, 'execution reverted', '{"backoff_seconds":30}', spec('eth_call')).holdMs).toBe(0);
  });

  it('answers in bounded time for a huge message', () => {
    expect(judge('eth_call', -32000, 'block '.repeat(1_000_000))).toBe('node>');
  });

  it('has no row without a condition and none that an earlier row hides by being the same', () => {
    const keys = ERROR_RULES.map((rule) => `${[...(rule.codes ?? [])]}|${rule.text?.source}|${rule.only?.name}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const rule of ERROR_RULES) expect(rule.codes !== null || rule.text !== null).toBe(true);
    for (const rule of ERROR_RULES) expect(rule.text?.flags ?? 'i').toBe('i');
    expect(ruleOf(-32000, 'nothing of this', spec('eth_call'))).toBeUndefined();
  });
});

describe('classifyStatus', () => {
  it.each<[number, string, number, string, number]>([
    [429, '', 0, 'throttled>', 0],
    [429, '', 5000, 'throttled>', 5000],
    [429, '', 1e12, 'throttled>', MAX_HOLD_MS],
    [401, 'Must be authenticated!', 0, 'auth!>', 0],
    [402, '', 0, 'auth!>', 0],
    [403, '<html>', 0, 'auth!>', 0],
    [403, 'daily request limit reached: rate limit', 2000, 'throttled>', 2000],
    [404, 'not found', 0, 'http!>', 0],
    [413, '', 0, 'tooLarge>', 0],
    [400, 'Bad Request', 0, 'http>', 0],
    [500, '', 0, 'http!>', 0],
    [502, '<html>Bad Gateway</html>', 0, 'http!>', 0],
    [503, '', 3000, 'http!>', 3000],
    [503, 'too many requests', 0, 'throttled>', 0],
    [301, '', 0, 'http!>', 0],
    [200, '<html>', 0, 'badJson!>', 0],
  ])('%d %j, Retry-After %d ms -> %s, hold %d', (status, body, retryAfterMs, expected, holdMs) => {
    const outcome = classifyStatus(status, body, retryAfterMs);
    expect(`${outcome.class}${outcome.blame ? '!' : ''}${outcome.retry === 'other' ? '>' : ''}`).toBe(expected);
    expect(outcome.holdMs).toBe(holdMs);
  });

  it('does not hold for a time that is none', () => {
    expect(held(VERDICTS.throttled, Number.NaN)).toBe(VERDICTS.throttled);
    expect(held(VERDICTS.throttled, -5)).toBe(VERDICTS.throttled);
  });
});

describe('what a sender of transactions must know', () => {
  it.each(['already known', 'Already known', 'ALREADY_EXISTS: already known', 'known transaction: 0xabc', 'Known transaction', 'AlreadyKnown',
    'transaction already in mempool', 'tx already in mempool', 'already exists in mempool', 'Transaction with the same hash was already imported.'])(
    'alreadyKnown: %s', (message) => {
      expect([alreadyKnown(message), nonceTooLow(message)]).toEqual([true, false]);
    });

  it.each(['nonce too low', 'nonce too low: next nonce 5, tx nonce 4', 'Nonce too low', 'err: nonce too low', 'nonce is too low', 'OldNonce'])(
    'nonceTooLow: %s', (message) => {
      expect([alreadyKnown(message), nonceTooLow(message)]).toEqual([false, true]);
    });

  it.each(['nonce too high', 'replacement transaction underpriced', 'unknown transaction type', ''])('neither: %j', (message) => {
    expect([alreadyKnown(message), nonceTooLow(message)]).toEqual([false, false]);
  });
});
