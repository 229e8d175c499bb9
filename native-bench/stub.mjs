// A stub node on raw uWebSockets.js: answers JSON-RPC with a fixed result of a set size at a set processor cost per call,
// batched or not, over HTTP or WebSocket, so that a gateway gains nothing by hiding calls in a batch.
//   node stub.mjs <port> [costUs] [resultBytes]
import uWS from 'uWebSockets.js';

const port = Number(process.argv[2] ?? 0);
const costUs = Number(process.argv[3] ?? 0);
const resultBytes = Number(process.argv[4] ?? 66);
const result = `"0x${'0'.repeat(Math.max(0, resultBytes - 4))}"`;
const startMs = Date.now();
const block = () => {
  const number = Math.floor((Date.now() - startMs) / 2000) + 1;
  const word = (n) => `0x${n.toString(16).padStart(64, '0')}`;
  return `{"number":"0x${number.toString(16)}","hash":"${word(number)}","parentHash":"${word(number - 1)}","timestamp":"0x${Math.floor(Date.now() / 1000).toString(16)}"}`;
};

const spin = (calls) => {
  if (costUs === 0) return;
  const end = process.hrtime.bigint() + BigInt(costUs * 1000 * calls);
  while (process.hrtime.bigint() < end);
};

const one = (text) => {
  const at = text.indexOf('"id":') + 5;
  let end = at;
  while (text.charCodeAt(end) !== 44 && text.charCodeAt(end) !== 125) end++;
  const id = text.slice(at, end);
  return `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
};

const special = (call) => {
  const results = {
    eth_chainId: '"0x1"',
    net_version: '"1"',
    eth_syncing: 'false',
    net_peerCount: '"0x8"',
    web3_clientVersion: '"stub/1"',
    eth_getBlockByNumber: block(),
    eth_blockNumber: `"0x${(Math.floor((Date.now() - startMs) / 2000) + 1).toString(16)}"`,
  };
  return `{"jsonrpc":"2.0","id":${JSON.stringify(call.id)},"result":${results[call.method] ?? result}}`;
};

const answer = (text) => {
  if (text.charCodeAt(0) === 91) {
    const calls = JSON.parse(text);
    spin(calls.length);
    return `[${calls.map(special).join(',')}]`;
  }
  spin(1);
  return text.includes('"eth_call"') ? one(text) : special(JSON.parse(text));
};

/** Calls to this address take half a second each, one after another where they are in one batch. */
const SLOW = '0x00000000000000000000000000000000000051a0';
const SLOW_MS = 500;
const slowMs = (text) => (text.includes(SLOW) ? SLOW_MS * (text.split(SLOW).length - 1) : 0);

/** Says it at once, or once the slow calls in it are done; `gone` tells that nobody listens any more. */
const say = (text, gone, send) => {
  const delayMs = slowMs(text);
  if (delayMs === 0) return send(answer(text));
  setTimeout(() => gone() || send(answer(text)), delayMs);
};

uWS._cfg('999999990007');
uWS
  .App()
  .post('/*', (res) => {
    let kept = null;
    let aborted = false;
    res.onAborted(() => {
      aborted = true;
    });
    res.onData((chunk, last) => {
      const piece = Buffer.from(chunk);
      const body = kept === null ? piece : Buffer.concat([kept, piece]);
      if (!last) {
        kept = Buffer.from(body);
        return;
      }
      const send = (text) => res.cork(() => res.writeHeader('content-type', 'application/json').end(text));
      say(body.latin1Slice(0, body.length), () => aborted, send);
    });
  })
  .ws('/*', {
    maxPayloadLength: 16 * 1024 * 1024,
    idleTimeout: 0,
    open: (ws) => {
      ws.getUserData().open = true;
    },
    close: (ws) => {
      ws.getUserData().open = false;
    },
    message: (ws, message) => {
      const data = ws.getUserData();
      say(Buffer.from(message).latin1Slice(), () => !data.open, (text) => ws.send(text));
    },
  })
  .listen('127.0.0.1', port, (token) => {
    if (!token) {
      process.stderr.write(`port ${port} is not free\n`);
      process.exit(1);
    }
    process.stdout.write(`listening ${uWS.us_socket_local_port(token)}\n`);
  });
process.on('SIGTERM', () => process.exit(0));
