// Opens connections and keeps them, in a process of its own: node idleDriver.mjs PORT COUNT http|websocket
// Writes `open` when all are there, and ends with its input.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

const [port, count] = process.argv.slice(2).map(Number);
const isSocket = process.argv[4] === 'websocket';
const WAVE = 200;
const sockets = [];

const open = () =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      if (!isSocket) return resolve();
      socket.write(`GET / HTTP/1.1\r\nHost: edge\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
    });
    socket.once('data', (head) => (head.latin1Slice(9, 12) === '101' ? resolve() : reject(new Error(head.latin1Slice()))));
    socket.on('error', reject);
    sockets.push(socket);
  });

while (sockets.length < count) await Promise.all(Array.from({ length: Math.min(WAVE, count - sockets.length) }, open));
process.stdout.write('open\n');
process.stdin.resume().on('end', () => {
  for (const socket of sockets) socket.resetAndDestroy();
  setImmediate(() => process.exit(0));
});
