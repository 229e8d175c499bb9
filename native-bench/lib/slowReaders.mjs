// Readers that take a large answer slowly.
import { connect } from 'node:net';

const PAUSE_MS = 10;

/** One call; whole answers only. @returns the bytes of the body */
function read(peer, call) {
  return new Promise((resolve, reject) => {
    const body = call.body(1);
    const due = call.answer(1);
    const socket = connect(peer.port, '127.0.0.1', () => socket.write(`POST / HTTP/1.1\r\nhost: edge\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`));
    let head = '';
    let tail = '';
    let size = 0;
    let bodyStart = -1;
    socket.on('data', (piece) => {
      size += piece.length;
      tail = (tail + piece.latin1Slice(Math.max(0, piece.length - 32))).slice(-32);
      if (bodyStart < 0) {
        head += piece.latin1Slice();
        bodyStart = head.indexOf('\r\n\r\n');
        if (bodyStart >= 0) bodyStart += 4;
      }
      const length = /\r\ncontent-length: *(\d+)/i.exec(head.slice(0, bodyStart))?.[1];
      const isWhole = length === undefined ? tail.endsWith('0\r\n\r\n') : size === bodyStart + Number(length);
      if (!isWhole) {
        socket.pause();
        setTimeout(() => socket.resume(), PAUSE_MS);
        return;
      }
      socket.destroy();
      const isRight = head.startsWith('HTTP/1.1 200') && tail.includes(due.slice(-8)) && (length === undefined || Number(length) === due.length);
      if (isRight) resolve(size);
      else reject(new Error(`${peer.name}: a wrong answer: ${head.slice(0, 200)}`));
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${peer.name}: the answer ended early, after ${size} bytes`)));
  });
}

/** Several at once. @throws when one did not get its whole answer */
export const slowReaders = (peer, call, count) => Promise.all(Array.from({ length: count }, () => read(peer, call)));
