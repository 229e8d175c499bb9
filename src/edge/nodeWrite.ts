import type { ServerResponse } from 'node:http';
import type { Call } from './call.ts';
import type { EdgeAnswer } from './port.ts';

/** Writes a whole answer to a response of node:http. A reader that takes nothing for `stallMs` is cut off. */
export function writeNode(call: Call<ServerResponse>, answer: EdgeAnswer, stallMs: number): void {
  const res = call.handle;
  const { status, body } = answer;
  const headers = answer.headers.slice();
  if (status !== 204) {
    headers.push('content-length', String(typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength));
  }
  if (call.closing) headers.push('connection', 'close');
  res.writeHead(status, headers);
  // Called when the system has taken the last byte.
  const onTaken = (): void => call.sent();
  if (call.bodiless || status === 204) res.end(onTaken);
  else res.end(body, onTaken);
  if (res.writableLength > 0) res.socket?.setTimeout(stallMs);
}
