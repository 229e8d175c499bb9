import type { ServerResponse } from 'node:http';
import type { Call } from './call.ts';
import type { BodyFlow, EdgeAnswer } from './port.ts';

/** Writes a whole answer to a response of node:http. A reader that takes nothing for `stallMs` is cut off. */
export function writeNode(call: Call<ServerResponse>, answer: EdgeAnswer, stallMs: number): void {
  const res = call.handle;
  const { status, body, rest, flow } = answer;
  if (flow !== undefined) return writeFlow(call, answer, { flow, stallMs });
  const headers = answer.headers.slice();
  if (status !== 204) {
    headers.push('content-length', String((typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength) + (rest?.byteLength ?? 0)));
  }
  if (call.closing) headers.push('connection', 'close');
  res.writeHead(status, headers);
  // Called when the system has taken the last byte.
  const onTaken = (): void => call.sent();
  if (call.bodiless || status === 204) res.end(onTaken);
  else if (rest === undefined) res.end(body, onTaken);
  else {
    res.write(body);
    res.end(rest, onTaken);
  }
  if (res.writableLength > 0) res.socket?.setTimeout(stallMs);
}

function writeFlow(call: Call<ServerResponse>, { status, headers }: EdgeAnswer, { flow, stallMs }: { flow: BodyFlow; stallMs: number }): void {
  const res = call.handle;
  const all = headers.slice();
  if (flow.lengthBytes >= 0) all.push('content-length', String(flow.lengthBytes));
  if (call.closing) all.push('connection', 'close');
  res.writeHead(status, all);
  res.on('drain', () => {
    res.socket?.setTimeout(0);
    if (!call.over) flow.onDrain();
  });
  const wait = (isTaken: boolean): boolean => {
    if (!isTaken) res.socket?.setTimeout(stallMs);
    return isTaken;
  };
  flow.begin({
    write: (piece) => call.over || res.destroyed || wait(res.write(piece)),
    end: () => {
      res.end(() => call.sent());
      wait(res.writableLength === 0);
    },
    cut: () => res.destroy(),
  });
}
