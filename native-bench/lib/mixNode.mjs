// A node with a chain of its own: a block every two seconds, the last 64 not final, transactions that are in the block after they came.
// Counts what it was asked. Answers follow from the call and its block alone, so that a wrong answer shows.
//   node mixNode.mjs <port>
import { createHash } from 'node:crypto';
import uWS from 'uWebSockets.js';

const BLOCK_MS = 2000;
const BEFORE = 2000;
const startMs = Date.now();
const hex = (n) => `0x${n.toString(16)}`;
const digest = (text) => `0x${createHash('sha256').update(text).digest('hex')}`;
const head = () => BEFORE + Math.floor((Date.now() - startMs) / BLOCK_MS);
const hashOf = (number) => digest(`block ${number}`);
const heights = new Map();
const heightOf = (hash) => {
  for (let n = head(); n > head() - 300 && !heights.has(hash); n--) heights.set(hashOf(n), n);
  return heights.get(hash) ?? -1;
};
/** Transaction hash -> block. */
const mined = new Map();
const counts = { calls: 0, messages: 0 };

const block = (number) => {
  if (number < 0 || number > head()) return null;
  const timestamp = hex(Math.floor(startMs / 1000) + (number - BEFORE) * 2);
  return { number: hex(number), hash: hashOf(number), parentHash: hashOf(number - 1), timestamp, gasUsed: '0x1', transactions: [], logsBloom: `0x${'0'.repeat(512)}` };
};
const pointOf = (word) => {
  if (word === 'latest' || word === undefined || word === null || word === 'pending') return head();
  if (word === 'finalized' || word === 'safe') return head() - 64;
  if (typeof word === 'object') return word.blockHash === undefined ? pointOf(word.blockNumber) : heightOf(word.blockHash);
  return word.length === 66 ? heightOf(word) : Number(word);
};
const state = (what, word) => {
  const at = pointOf(word);
  if (at < 0 || at > head()) throw new Error('header not found');
  return digest(`${what} at ${at >> 3}`);
};
const receipt = (hash) => {
  const number = mined.get(hash);
  return number === undefined || number > head() ? null : { transactionHash: hash, blockHash: hashOf(number), blockNumber: hex(number), status: '0x1', logs: [] };
};

const METHODS = {
  eth_chainId: () => '0x1',
  net_version: () => '1',
  eth_syncing: () => false,
  eth_blockNumber: () => hex(head()),
  eth_getBlockByNumber: ([word]) => block(pointOf(word)),
  eth_getBlockByHash: ([hash]) => block(heightOf(hash)),
  eth_getBalance: ([address, word]) => state(address, word),
  eth_getTransactionCount: ([address, word]) => state(`${address} nonce`, word),
  eth_getCode: ([address, word]) => state(`${address} code`, word),
  eth_call: ([call, word]) => state(JSON.stringify(call), word),
  eth_getLogs: () => [],
  eth_getTransactionReceipt: ([hash]) => receipt(hash),
  eth_getTransactionByHash: ([hash]) => receipt(hash),
  eth_getBlockReceipts: () => [],
  eth_sendRawTransaction: ([raw]) => {
    const hash = digest(raw);
    mined.set(hash, head() + 1);
    return hash;
  },
  eth_gasPrice: () => hex(head()),
  bench_counts: () => counts,
};

const answer = ({ id, method, params }) => {
  if (method !== 'bench_counts') counts.calls++;
  try {
    return { jsonrpc: '2.0', id, result: (METHODS[method] ?? (() => '0x1'))(params ?? []) };
  } catch (error) {
    return { jsonrpc: '2.0', id, error: { code: -32000, message: error.message } };
  }
};

uWS
  .App()
  .post('/*', (res) => {
    const parts = [];
    res.onAborted(() => undefined);
    res.onData((chunk, last) => {
      parts.push(Buffer.from(Buffer.from(chunk)));
      if (!last) return;
      counts.messages++;
      const call = JSON.parse(Buffer.concat(parts).toString());
      const text = JSON.stringify(Array.isArray(call) ? call.map(answer) : answer(call));
      res.cork(() => res.writeHeader('content-type', 'application/json').end(text));
    });
  })
  .listen('127.0.0.1', Number(process.argv[2]), (token) => {
    if (!token) process.exit(1);
  });
process.on('SIGTERM', () => process.exit(0));
