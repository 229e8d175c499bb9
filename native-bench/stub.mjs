// A stub node on raw uWebSockets.js: answers JSON-RPC with a fixed result at a set processor cost per call, batched or not,
// over HTTP or WebSocket, so that a gateway gains nothing by hiding calls in a batch.
//   node stub.mjs PORT '{"costUs":0,"latencyMs":0,"resultBytes":66,"failEvery":0,"wrongEvery":0}'
// failEvery N: each Nth request is answered with status 503; wrongEvery N: each Nth call with another result than due.
import uWS from 'uWebSockets.js';

const port = Number(process.argv[2] ?? 0);
const set = { costUs: 0, latencyMs: 0, resultBytes: 66, failEvery: 0, wrongEvery: 0, ...JSON.parse(process.argv[3] ?? '{}') };
const KEPT_ANSWERS = 64;
const LARGE = 32 * 1024;
const result = `"0x${'0'.repeat(Math.max(0, set.resultBytes - 4))}"`;
const wrongResult = '"0xbad"';
const startMs = Date.now();
let requests = 0;
let calls = 0;

const height = () => Math.floor((Date.now() - startMs) / 2000) + 1;
const block = () => {
  const number = height();
  const word = (n) => `0x${n.toString(16).padStart(64, '0')}`;
  return `{"number":"0x${number.toString(16)}","hash":"${word(number)}","parentHash":"${word(number - 1)}","timestamp":"0x${Math.floor(Date.now() / 1000).toString(16)}"}`;
};

const spin = (count) => {
  if (set.costUs === 0) return;
  const end = process.hrtime.bigint() + BigInt(set.costUs * 1000 * count);
  while (process.hrtime.bigint() < end);
};

const resultNow = () => (set.wrongEvery > 0 && ++calls % set.wrongEvery === 0 ? wrongResult : result);

const idOf = (text) => {
  const at = text.indexOf('"id":') + 5;
  let end = at;
  while (text.charCodeAt(end) !== 44 && text.charCodeAt(end) !== 125) end++;
  return text.slice(at, end);
};

const special = (call) => {
  const results = {
    eth_chainId: '"0x1"',
    net_version: '"1"',
    eth_syncing: 'false',
    net_peerCount: '"0x8"',
    web3_clientVersion: '"stub/1"',
    eth_getBlockByNumber: block(),
    eth_blockNumber: `"0x${height().toString(16)}"`,
  };
  return `{"jsonrpc":"2.0","id":${JSON.stringify(call.id)},"result":${results[call.method] ?? resultNow()}}`;
};

const answer = (text) => {
  if (text.charCodeAt(0) === 91) {
    const entries = JSON.parse(text);
    spin(entries.length);
    return `[${entries.map(special).join(',')}]`;
  }
  spin(1);
  if (!text.includes('"eth_call"')) return special(JSON.parse(text));
  const now = resultNow();
  return now === result && result.length >= LARGE ? bytesFor(idOf(text)) : `{"jsonrpc":"2.0","id":${idOf(text)},"result":${now}}`;
};

/** Calls to this address take half a second each, one after another where they are in one batch. */
const SLOW = '0x00000000000000000000000000000000000051a0';
const SLOW_MS = 500;
const delayOf = (text) => set.latencyMs + (text.includes(SLOW) ? SLOW_MS * (text.split(SLOW).length - 1) : 0);

/** Says it at once, or once its time is over; `gone` tells that nobody listens any more. */
const say = (text, gone, send) => {
  const delayMs = delayOf(text);
  if (delayMs === 0) return send(answer(text));
  setTimeout(() => gone() || send(answer(text)), delayMs);
};

/** Bytes of large answers, made once for each id. */
const kept = new Map();
const bytesFor = (id) => {
  let bytes = kept.get(id);
  if (bytes === undefined) {
    if (kept.size >= KEPT_ANSWERS) kept.clear();
    bytes = Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${result}}`, 'latin1');
    kept.set(id, bytes);
  }
  return bytes;
};

/** In pieces as the reader takes them, from one shared buffer. */
const pour = (res, bytes) => {
  res.cork(() => {
    res.writeHeader('content-type', 'application/json');
    const [whole, done] = res.tryEnd(bytes, bytes.length);
    if (done || whole) return;
    res.onWritable((offset) => res.tryEnd(bytes.subarray(offset), bytes.length)[0]);
  });
};

const reply = (res, said) => {
  if (set.failEvery > 0 && ++requests % set.failEvery === 0) return res.cork(() => res.writeStatus('503 Service Unavailable').end());
  if (typeof said !== 'string') return pour(res, said);
  res.cork(() => res.writeHeader('content-type', 'application/json').end(said));
};

uWS._cfg('999999990007');
uWS
  .App()
  .post('/*', (res) => {
    let before = null;
    let aborted = false;
    res.onAborted(() => {
      aborted = true;
    });
    res.onData((chunk, last) => {
      const piece = Buffer.from(chunk);
      const body = before === null ? piece : Buffer.concat([before, piece]);
      if (!last) {
        before = Buffer.from(body);
        return;
      }
      say(body.latin1Slice(0, body.length), () => aborted, (said) => reply(res, said));
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
      say(Buffer.from(message).latin1Slice(), () => !data.open, (said) => ws.send(said));
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
