import { connect } from 'node:net';
import type { Socket } from 'node:net';

const MASK = Buffer.from([1, 2, 3, 4]);

/** One frame of a client. @param first FIN, RSV and opcode */
export function frame(first: number, payload: Buffer | string, masked = true): Buffer {
  const body = Buffer.from(payload);
  const length = body.length < 126 ? [body.length] : [126, body.length >> 8, body.length & 255];
  length[0] = (length[0] as number) | (masked ? 0x80 : 0);
  const sent = masked ? Buffer.from(body.map((byte, i) => byte ^ (MASK[i % 4] as number))) : body;
  return Buffer.concat([Buffer.from([first, ...length]), masked ? MASK : Buffer.alloc(0), sent]);
}

/** What a server says until it closes: its frames as `opcode:payload`, a close frame as `close:code`. */
function framesOf(bytes: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const opcode = (bytes[at] as number) & 15;
    const short = (bytes[at + 1] as number) & 127;
    const start = at + 2 + (short === 126 ? 2 : 0);
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    const payload = bytes.subarray(start, start + length);
    frames.push(opcode === 8 ? `close:${payload.length >= 2 ? payload.readUInt16BE(0) : 'none'}` : `${opcode}:${payload.toString('latin1')}`);
    at = start + length;
  }
  return frames;
}

/** A WebSocket connection whose frames a test writes byte by byte. */
export interface RawSocket {
  readonly socket: Socket;
  /** What the server said, once the connection is closed. */
  readonly over: Promise<string[]>;
}

/** Opens a connection by hand. @param headers further ones, whole lines with their CRLF */
export async function openRaw(port: number, headers = ''): Promise<RawSocket> {
  const socket = connect(port, '127.0.0.1');
  const parts: Buffer[] = [];
  let begun = false;
  await new Promise<void>((resolve) => {
    socket.on('data', (piece) => {
      parts.push(piece);
      if (!begun && Buffer.concat(parts).includes('\r\n\r\n')) {
        begun = true;
        resolve();
      }
    });
    socket.write(`GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`);
  });
  const over = new Promise<string[]>((resolve) => {
    const end = (): void => {
      const bytes = Buffer.concat(parts);
      resolve(framesOf(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)));
    };
    socket.on('error', () => undefined);
    socket.on('close', end);
  });
  return { socket, over };
}
