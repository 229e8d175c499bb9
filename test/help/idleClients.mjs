// Opens connections to a port and keeps them, in a process of its own: node idleClients.mjs PORT COUNT
// Writes `open` when all are there, and ends with its input.
import { connect } from 'node:net';

const [port, count] = process.argv.slice(2).map(Number);
const WAVE = 200;
const sockets = [];

const open = () =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => resolve());
    socket.on('error', reject);
    sockets.push(socket);
  });

while (sockets.length < count) await Promise.all(Array.from({ length: Math.min(WAVE, count - sockets.length) }, open));
process.stdout.write('open\n');
process.stdin.resume().on('end', () => {
  for (const socket of sockets) socket.resetAndDestroy();
  setImmediate(() => process.exit(0));
});
