// Many WebSocket clients that cost little: they count frames and note when each came. Driven by its parent:
//   {cmd:'open', peer, port, count} {cmd:'subscribe', peer} {cmd:'arm', peer} {cmd:'close', peer}; each is answered once it is done.
// `arm` is answered twice: when it is armed, and with the arrivals once each connection of the peer has one more frame.
import { connect } from 'node:net';
import { nowMs } from './fanoutClock.mjs';

const UPGRADE = (port) => `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
const AT_ONCE = 64;
const shared = Buffer.alloc(256 * 1024);
const peers = new Map();

/** A short text frame under a mask of zeroes. */
function frame(text) {
  const body = Buffer.from(text);
  if (body.length > 125) throw new Error('a longer frame is not written here');
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body]);
}

/** One connection: knows where frames end, and keeps a text only where it is asked to. */
class Connection {
  isOpen = false;
  text = '';
  keeps = false;
  #header = [];
  #left = 0;
  #pieces = [];
  #isText = false;

  constructor(port, onOpen, onFrame) {
    this.onFrame = onFrame;
    this.onOpen = onOpen;
    this.socket = connect({ host: '127.0.0.1', port, onread: { buffer: shared, callback: (bytes, buffer) => this.#read(buffer, bytes) } });
    this.socket.setNoDelay(true);
    this.socket.on('error', (error) => fail(error));
    this.socket.on('close', () => this.isOpen && fail(new Error('a connection was closed')));
    this.socket.write(UPGRADE(port));
  }

  send(bytes) {
    this.socket.write(bytes);
  }

  close() {
    this.isOpen = false;
    this.socket.destroy();
  }

  #read(buffer, end) {
    let at = 0;
    if (!this.isOpen) {
      const head = buffer.indexOf('\r\n\r\n');
      if (head < 0 || !buffer.latin1Slice(0, 12).endsWith('101')) return fail(new Error(`not let in: ${buffer.latin1Slice(0, 40)}`));
      at = head + 4;
      this.isOpen = true;
      this.onOpen();
    }
    while (at < end) at = this.#left > 0 ? this.#body(buffer, at, end) : this.#begin(buffer, at);
    return true;
  }

  #begin(buffer, at) {
    const header = this.#header;
    header.push(buffer[at]);
    if (header.length < 2) return at + 1;
    const size = header[1] & 127;
    const need = size === 126 ? 4 : size === 127 ? 10 : 2;
    if (header.length < need) return at + 1;
    this.#left = size < 126 ? size : header.slice(2).reduce((sum, byte) => sum * 256 + byte, 0);
    this.#isText = (header[0] & 15) === 1;
    this.#header = [];
    if (this.#left === 0) this.#whole();
    return at + 1;
  }

  #body(buffer, at, end) {
    const taken = Math.min(this.#left, end - at);
    this.#left -= taken;
    if (this.keeps) this.#pieces.push(buffer.latin1Slice(at, at + taken));
    if (this.#left === 0) this.#whole();
    return at + taken;
  }

  #whole() {
    if (!this.#isText) return;
    if (this.keeps) this.text = this.#pieces.join('');
    this.#pieces = [];
    this.onFrame();
  }
}

function fail(error) {
  process.send({ error: error.message });
  process.disconnect();
  process.exit(1);
}

function open({ peer, port, count }) {
  const own = { port, connections: [], left: 0, arrivals: null, done: null };
  peers.set(peer, own);
  let waiting = count;
  const onFrame = () => {
    if (own.done === null) return fail(new Error(`${peer}: a frame that nobody waits for`));
    own.arrivals[own.arrivals.length - own.left] = nowMs();
    own.left--;
    if (own.left === 0) {
      const { done } = own;
      own.done = null;
      done();
    }
  };
  const more = () => {
    if (own.connections.length === count) return;
    own.connections.push(new Connection(port, () => {
      if (--waiting === 0) process.send({ done: 'open' });
      else more();
    }, onFrame));
  };
  for (let i = 0; i < AT_ONCE; i++) more();
}

/** One more frame is to come to each. */
function expectOne(own, done) {
  own.left = own.connections.length;
  own.arrivals = new Float64Array(own.left);
  own.done = done;
}

const commands = {
  open,
  subscribe: ({ peer }) => {
    const own = peers.get(peer);
    expectOne(own, () => process.send({ done: 'subscribe' }));
    const wish = frame('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}');
    for (const connection of own.connections) connection.send(wish);
  },
  arm: ({ peer }) => {
    const own = peers.get(peer);
    own.connections[0].keeps = true;
    expectOne(own, () => process.send({ done: 'all', peer, arrivals: [...own.arrivals], text: own.connections[0].text }));
    process.send({ done: 'arm' });
  },
  close: ({ peer }) => {
    for (const connection of peers.get(peer).connections) connection.close();
    peers.delete(peer);
    process.send({ done: 'close' });
  },
};
process.on('message', (message) => commands[message.cmd](message));
process.on('disconnect', () => process.exit(0));
