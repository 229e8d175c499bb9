// The engine's own ceiling: raw uWebSockets.js that reads the body and answers fixed bytes, over HTTP and WebSocket.
//   node raw.mjs PORT [RESULT_BYTES]
import uWS from 'uWebSockets.js';

const fixed = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":"0x${'0'.repeat(Number(process.argv[3] ?? 66) - 4)}"}`);
uWS._cfg('999999990007');
uWS
  .App()
  .post('/*', (res) => {
    res.onAborted(() => {});
    res.onData((_chunk, last) => {
      if (last) res.cork(() => res.writeHeader('content-type', 'application/json').end(fixed));
    });
  })
  .ws('/*', { idleTimeout: 0, message: (ws) => ws.send(fixed) })
  .listen('127.0.0.1', Number(process.argv[2]), (token) => {
    if (!token) process.exit(1);
    process.stdout.write(`listening ${uWS.us_socket_local_port(token)}\n`);
  });
process.on('SIGTERM', () => process.exit(0));
