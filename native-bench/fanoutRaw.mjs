// What the engine itself costs: raw uWebSockets.js that publishes what it is told to every connection. Its options are the gateway's.
//   node fanoutRaw.mjs <port> <node's port>
import uWS from 'uWebSockets.js';
import { WebSocket } from 'ws';

const [port, nodePort] = process.argv.slice(2).map(Number);
const app = uWS.App();
app
  .ws('/*', {
    maxPayloadLength: 5 * 1024 * 1024,
    idleTimeout: 60,
    maxBackpressure: 16 * 1024 * 1024,
    sendPingsAutomatically: true,
    compression: 0,
    message: (ws, message) => {
      const { id } = JSON.parse(Buffer.from(message));
      ws.subscribe('heads');
      ws.send(`{"jsonrpc":"2.0","id":${id},"result":"0x${'ab'.repeat(16)}"}`, false, false);
    },
  })
  .listen('127.0.0.1', port, (token) => {
    if (!token) process.exit(1);
  });
const node = new WebSocket(`ws://127.0.0.1:${nodePort}/`);
node.on('open', () => node.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}'));
node.on('message', (data) => {
  const text = String(data);
  if (text.includes('"method"')) app.publish('heads', text, false, false);
});
process.on('SIGTERM', () => process.exit(0));
