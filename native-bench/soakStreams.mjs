// What the soak holds open: WebSocket clients on newHeads and logs, and transactions that make logs. Afterwards each
// stream is compared with the chain: nothing missing, nothing twice, nothing out of order.
import { setTimeout as wait } from 'node:timers/promises';
import { keccak256, Wallet } from 'ethers';
import WebSocket from 'ws';

/** The first account of anvil's well-known phrase. */
const WALLET = new Wallet('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
/** A contract that logs the first word of what it is called with as a topic: init code around 600035 6000 6000 a1 00. */
const CONTRACT = '0x6860003560006000a10060005260096017f3';
const RESEND_MS = 4000;
const ASK_MS = 250;
const hex = (number) => `0x${number.toString(16)}`;

async function rpc(url, method, params) {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
  const { result, error } = await answer.json();
  if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
  return result;
}

/** Sends a transaction as often as it takes: the node that had it may have died. */
async function mined(url, raw, hash, isOver) {
  for (let sentMs = Number.NEGATIVE_INFINITY; !isOver(); await wait(ASK_MS)) {
    if (performance.now() - sentMs > RESEND_MS) {
      sentMs = performance.now();
      await rpc(url, 'eth_sendRawTransaction', [raw]).catch(() => undefined);
    }
    const receipt = await rpc(url, 'eth_getTransactionReceipt', [hash]).catch(() => null);
    if (receipt !== null) return receipt;
  }
  return null;
}

async function send(url, tx, isOver) {
  const raw = await WALLET.signTransaction({ chainId: await chainOf(url), gasLimit: 200_000, maxFeePerGas: 10_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n, type: 2, ...tx });
  return mined(url, raw, keccak256(raw), isOver);
}

let chainId = null;
const chainOf = async (url) => (chainId ??= BigInt(await rpc(url, 'eth_chainId', [])));

/** One client: its heads and logs as they came, and what went wrong. */
function client(url, address, faults) {
  const seen = { heads: [], logs: [], ready: null, close: null };
  const socket = new WebSocket(url.replace('http', 'ws'));
  const topics = new Map();
  let over = false;
  socket.on('error', (error) => void faults.push(`a socket failed: ${error.message}`));
  socket.on('close', () => over || faults.push('a socket was closed'));
  seen.ready = new Promise((done) => {
    socket.on('open', () => {
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }));
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'eth_subscribe', params: ['logs', { address }] }));
    });
    socket.on('message', (data) => {
      const said = JSON.parse(data.toString());
      if (said.method === 'eth_subscription') {
        const what = topics.get(said.params.subscription);
        const { result } = said.params;
        if (what === 1) seen.heads.push([Number(result.number), result.hash]);
        else seen.logs.push([Number(result.blockNumber), result.blockHash, Number(result.logIndex), result.removed === true]);
      } else if (said.error !== undefined) faults.push(`a subscription was refused: ${JSON.stringify(said.error)}`);
      else {
        topics.set(said.result, said.id);
        if (topics.size === 2) done();
      }
    });
  });
  seen.close = () => {
    over = true;
    socket.close();
  };
  return seen;
}

/** Opens `count` clients and keeps transactions coming. `faults` takes what goes wrong. */
export async function openStreams(url, count, faults) {
  let over = false;
  const isOver = () => over;
  let nonce = Number(await rpc(url, 'eth_getTransactionCount', [WALLET.address, 'latest']));
  const made = await send(url, { nonce: nonce++, data: CONTRACT }, isOver);
  const address = made?.contractAddress;
  if (address == null || made.status !== '0x1') throw new Error('the contract that logs was not made');
  const clients = Array.from({ length: count }, () => client(url, address, faults));
  await Promise.all(clients.map(({ ready }) => ready));
  let sent = 0;
  const sending = (async () => {
    while (!over) {
      const receipt = await send(url, { nonce, to: address, data: `0x${nonce.toString(16).padStart(64, '0')}` }, isOver);
      if (receipt !== null) {
        nonce++;
        sent++;
      }
    }
  })();
  const stop = async () => {
    over = true;
    await sending;
    return sent;
  };
  return { address, clients, stop };
}

/** Compares what each client was told with the chain. Resolves with figures; `faults` takes every difference. */
export async function checkStreams(url, { address, clients }, faults) {
  const head = Number(await rpc(url, 'eth_blockNumber', []));
  const upTo = () => Math.min(...clients.map(({ heads }) => heads.at(-1)?.[0] ?? -1));
  for (const endMs = performance.now() + 20_000; upTo() < head && performance.now() < endMs; ) await wait(100);
  const last = upTo();
  if (last < head) faults.push(`heads end at ${last}, the chain stood at ${head}`);
  for (const one of clients) one.close();
  const first = Math.max(...clients.map(({ heads }) => heads[0]?.[0] ?? Number.POSITIVE_INFINITY));
  const hashes = new Map();
  for (let number = Math.min(...clients.map(({ heads }) => heads[0]?.[0] ?? first)); number <= last; number++) hashes.set(number, (await rpc(url, 'eth_getBlockByNumber', [hex(number), false])).hash);
  const logs = await rpc(url, 'eth_getLogs', [{ address, fromBlock: hex(first), toBlock: hex(last) }]);
  const wanted = logs.map(({ blockNumber, blockHash, logIndex }) => [Number(blockNumber), blockHash, Number(logIndex), false]);
  for (const [i, { heads, logs: told }] of clients.entries()) {
    for (const [n, [number, hash]] of heads.entries()) {
      const before = heads[n - 1]?.[0];
      if (before !== undefined && number !== before + 1) faults.push(`client ${i}: head ${number} came after ${before}`);
      if (number <= last && hashes.get(number) !== hash) faults.push(`client ${i}: head ${number} is not the chain's`);
    }
    const within = told.filter(([number]) => number >= first && number <= last);
    if (JSON.stringify(within) !== JSON.stringify(wanted)) faults.push(`client ${i}: ${within.length} logs, the chain has ${wanted.length}`);
  }
  return { streams: clients.length * 2, heads: clients.reduce((sum, { heads }) => sum + heads.length, 0), logs: clients.reduce((sum, one) => sum + one.logs.length, 0), chainLogs: wanted.length };
}
