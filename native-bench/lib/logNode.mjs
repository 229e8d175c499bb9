// A node with one log in every block of every contract, that takes only so many blocks in one query and counts what it is asked.
import { createServer } from 'node:http';

const hex = (number) => `0x${number.toString(16)}`;
/** The hash of a block. */
export const word = (number) => `0x${number.toString(16).padStart(64, '0')}`;
const block = (number) => ({ number: hex(number), hash: word(number), parentHash: word(number - 1), timestamp: hex(1_700_000_000 + number), logsBloom: `0x${'00'.repeat(256)}` });
const log = (number, address, data) => ({ address, topics: [], data, blockNumber: hex(number), blockHash: word(number), transactionHash: word(number), transactionIndex: '0x0', logIndex: '0x0', removed: false });

/** @param set { head, limit: blocks of one query, large: contract with much data, largeDataBytes: of each of its logs } */
export function startLogNode({ head, limit, large, largeDataBytes }) {
  const asked = { calls: 0, blocks: 0 };
  const logs = ({ fromBlock, toBlock, address }) => {
    const [from, to] = [Number(fromBlock), Number(toBlock)];
    const [contract] = [address].flat();
    asked.calls++;
    asked.blocks += to - from + 1;
    const data = `0x${'ab'.repeat(contract === large ? largeDataBytes : 100)}`;
    return Array.from({ length: to - from + 1 }, (_, i) => log(from + i, contract, data));
  };
  const answer = ({ id, method, params = [] }) => {
    const tags = { latest: head, finalized: head - 64, safe: head - 32 };
    if (method === 'eth_getLogs' && Number(params[0].toBlock) - Number(params[0].fromBlock) >= limit) {
      return { jsonrpc: '2.0', id, error: { code: -32602, message: `query exceeds max block range ${limit}` } };
    }
    const results = {
      eth_chainId: () => '0x1',
      eth_syncing: () => false,
      net_peerCount: () => '0x8',
      eth_getBlockByNumber: () => block(tags[params[0]] ?? Number(params[0])),
      eth_getBlockByHash: () => block(Number(params[0])),
      eth_getLogs: () => logs(params[0]),
    };
    return { jsonrpc: '2.0', id, result: results[method]?.() ?? null };
  };
  const server = createServer((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      // no WebSocket here
      if (request.method !== 'POST') return response.writeHead(404).end();
      const body = JSON.parse(Buffer.concat(pieces).toString());
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(Array.isArray(body) ? body.map(answer) : answer(body)));
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ port: server.address().port, asked, close: () => server.close() }));
  });
}
