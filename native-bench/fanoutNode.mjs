// A stub node for fan-out: a block for each message of its parent, told to the subscribers of `newHeads`. Headers are of a mainnet
// block's size, and their fields make their hash.
//   fork('fanoutNode.mjs'); tells {port}, then {hash, sentMs} for each block
import { createServer } from 'node:http';
import { encodeRlp, keccak256 } from 'ethers';
import { WebSocketServer } from 'ws';
import { nowMs } from './fanoutClock.mjs';

const word = (n) => `0x${n.toString(16).padStart(64, '0')}`;
const rlpNumber = (n) => (n === 0 ? '0x' : `0x${n.toString(16).padStart(2 * Math.ceil(n.toString(16).length / 2), '0')}`);
const hex = (n) => `0x${n.toString(16)}`;
const BLOOM = `0x${'00'.repeat(256)}`;
const EMPTY_ROOT = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';
const blocks = new Map();
let top = 0;

function make(number) {
  const fields = [
    ['parentHash', blocks.get(number - 1)?.hash ?? word(0)],
    ['sha3Uncles', '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347'],
    ['miner', `0x${'95'.repeat(20)}`],
    ['stateRoot', word(number + 7)],
    ['transactionsRoot', EMPTY_ROOT],
    ['receiptsRoot', EMPTY_ROOT],
    ['logsBloom', BLOOM],
    ['difficulty', 0],
    ['number', number],
    ['gasLimit', 36_000_000],
    ['gasUsed', 18_000_000],
    ['timestamp', 1_700_000_000 + 12 * number],
    ['extraData', `0x${'42'.repeat(24)}`],
    ['mixHash', word(number + 9)],
    ['nonce', '0x0000000000000000'],
    ['baseFeePerGas', 7],
    ['withdrawalsRoot', EMPTY_ROOT],
    ['blobGasUsed', 786_432],
    ['excessBlobGas', 79_429_632],
    ['parentBeaconBlockRoot', word(number + 11)],
    ['requestsHash', word(number + 13)],
  ];
  const hash = keccak256(encodeRlp(fields.map(([, value]) => (typeof value === 'number' ? rlpNumber(value) : value))));
  return { ...Object.fromEntries(fields.map(([name, value]) => [name, typeof value === 'number' ? hex(value) : value])), hash };
}

function grow() {
  top++;
  blocks.set(top, make(top));
  blocks.delete(top - 4096);
  return blocks.get(top);
}

const results = {
  eth_chainId: () => '0x1',
  net_version: () => '1',
  eth_syncing: () => false,
  net_peerCount: () => '0x8',
  web3_clientVersion: () => 'stub/1',
  eth_blockNumber: () => hex(top),
  eth_getBlockByNumber: ([tag]) => full(blocks.get(tag.startsWith('0x') ? Number(tag) : top)),
  eth_getBlockByHash: ([hash]) => full([...blocks.values()].find((block) => block.hash === hash)),
};
const full = (block) => (block === undefined ? null : { ...block, transactions: [] });
const answer = ({ id, method, params = [] }) => ({ jsonrpc: '2.0', id, ...(results[method] === undefined ? { error: { code: -32601, message: 'no such method' } } : { result: results[method](params) }) });

const http = createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    const asked = JSON.parse(Buffer.concat(pieces));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(Array.isArray(asked) ? asked.map(answer) : answer(asked)));
  });
});
const listeners = new Set();
const ID = `0x${'ab'.repeat(16)}`;
new WebSocketServer({ server: http }).on('connection', (ws) => {
  ws.on('error', () => undefined);
  ws.on('message', (data) => {
    const asked = JSON.parse(data);
    const isWish = asked.method === 'eth_subscribe' && asked.params[0] === 'newHeads';
    ws.send(JSON.stringify(isWish ? { jsonrpc: '2.0', id: asked.id, result: ID } : answer(asked)));
    if (!isWish) return;
    listeners.add(ws);
    ws.on('close', () => listeners.delete(ws));
  });
});

process.on('message', () => {
  const block = grow();
  const notice = `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${ID}","result":${JSON.stringify(block)}}}`;
  const sentMs = nowMs();
  for (const ws of listeners) ws.send(notice);
  process.send({ hash: block.hash, sentMs });
});
process.on('disconnect', () => process.exit(0));
for (let i = 0; i < 8; i++) grow();
http.listen(0, '127.0.0.1', () => process.send({ port: http.address().port }));
