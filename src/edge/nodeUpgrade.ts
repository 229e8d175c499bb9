import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const HOP = new Set(['upgrade', 'http2-settings', 'connection']);
const LINE_END = '\r\n';

/**
 * Puts a request that asks for another protocol than WebSocket back before its socket, without what asks for it: as RFC 9110
 * section 7.8 has it, a server may ignore that, and clients that offer HTTP/2 to everyone (`Upgrade: h2c`) count on it.
 * @param head what came behind the request's head
 */
export function ignoreUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
  let text = `${req.method ?? ''} ${req.url ?? ''} HTTP/${req.httpVersion}${LINE_END}`;
  for (let i = 0; i + 1 < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i] ?? '';
    if (!HOP.has(name.toLowerCase())) text += `${name}: ${req.rawHeaders[i + 1] ?? ''}${LINE_END}`;
  }
  if (/(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(req.headers.connection ?? '')) text += `connection: close${LINE_END}`;
  socket.unshift(Buffer.concat([Buffer.from(text + LINE_END, 'latin1'), head]));
}
