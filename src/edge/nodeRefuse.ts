import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FaultKind } from '../base/fault.ts';
import { refusalAnswer } from './refuse.ts';

/** What the parser of node:http says of a request it could not read. */
export interface ParserError extends Error {
  readonly code?: string;
  /** The bytes it was reading. */
  readonly rawPacket?: Buffer;
}

// A request line whose only fault is the method: what another parser would have let through to be refused by method.
const UNKNOWN_METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} \/[!-~]* HTTP\/1\.1\r\n/;

/** The row of the error table that a parser error belongs to. */
export function parserFault(error: ParserError): FaultKind {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'headerTooLarge';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'bodyTimeout';
    case 'HPE_INVALID_VERSION':
      return 'httpVersion';
    case 'HPE_INVALID_METHOD':
      return UNKNOWN_METHOD.test(error.rawPacket?.toString('latin1') ?? '') ? 'httpMethod' : 'badFraming';
    default:
      return 'badFraming';
  }
}

/** Refuses on a bare socket, where there is no response object, and closes it. */
export function refuseOnSocket(socket: Duplex, kind: FaultKind): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = refusalAnswer(kind);
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  socket.end(`${head}\r\n${typeof body === 'string' ? body : ''}`, () => socket.destroy());
}
