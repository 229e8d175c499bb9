// Calls over WebSocket in a closed loop, in a process of its own: node socketDriver.mjs OPTIONS_AS_JSON
// { port, path, body, due, connections, seconds } Frames are built and read by hand, so that the client is not what is measured.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { build } from 'hdr-histogram-js';

const set = JSON.parse(process.argv[2]);
const HEAD_END = Buffer.from('\r\n\r\n');
const due = Buffer.from(set.due);
const [TEXT, PING] = [1, 9];

/** A frame masked with the key 0, which changes no byte. */
const frame = (opcode, payload) => {
  const size = payload.length;
  const head = size < 126 ? Buffer.from([0x80 | opcode, 0x80 | size]) : Buffer.from([0x80 | opcode, 0x80 | 126, size >> 8, size & 255]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
};
const call = frame(TEXT, Buffer.from(set.body));
const times = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60e6, numberOfSignificantValueDigits: 3 });
const told = { answered: 0, failed: 0, faults: [] };
const fail = (why) => {
  told.failed++;
  if (told.faults.length < 5) told.faults.push(why);
};

/** The frame at `at`, or null when it is not whole. */
const read = (bytes, at) => {
  if (bytes.length < at + 2) return null;
  const short = bytes[at + 1] & 127;
  const from = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
  if (bytes.length < from) return null;
  const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
  return bytes.length < from + size ? null : { opcode: bytes[at] & 15, payload: bytes.subarray(from, from + size), end: from + size };
};

let isOver = false;
const open = () =>
  new Promise((resolve, reject) => {
    const socket = connect({ port: set.port, host: '127.0.0.1', noDelay: true });
    let rest = Buffer.alloc(0);
    let isUpgraded = false;
    let sentMs = 0;
    const send = () => {
      sentMs = performance.now();
      socket.write(call);
    };
    const take = ({ opcode, payload }) => {
      if (opcode === PING) return socket.write(frame(10, payload));
      if (opcode !== TEXT || !payload.equals(due)) return fail(`frame ${opcode}: ${payload.toString('latin1', 0, 200)}`);
      told.answered++;
      times.recordValue(Math.max(1, Math.round((performance.now() - sentMs) * 1000)));
      if (isOver) socket.destroy();
      else send();
    };
    socket.on('connect', () => socket.write(`GET ${set.path} HTTP/1.1\r\nHost: 127.0.0.1:${set.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`));
    socket.on('data', (data) => {
      rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
      if (!isUpgraded) {
        const end = rest.indexOf(HEAD_END);
        if (end < 0) return;
        if (rest.latin1Slice(9, 12) !== '101') return reject(new Error(`no upgrade: ${rest.latin1Slice(0, 100)}`));
        isUpgraded = true;
        rest = rest.subarray(end + 4);
        resolve(send);
      }
      let at = 0;
      for (let one = read(rest, at); one !== null; one = read(rest, at)) {
        take(one);
        at = one.end;
      }
      rest = rest.subarray(at);
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (!isOver) fail('connection closed');
    });
  });

const begin = await Promise.all(Array.from({ length: set.connections }, open));
const startMs = performance.now();
for (const send of begin) send();
setTimeout(() => {
  const durationUs = (performance.now() - startMs) * 1000;
  isOver = true;
  process.stdout.write(`${JSON.stringify({ ...told, durationUs, p50Us: times.getValueAtPercentile(50), p99Us: times.getValueAtPercentile(99) })}\n`, () => process.exit(0));
}, set.seconds * 1000);
