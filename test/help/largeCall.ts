import { request } from 'node:http';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';

/** An answer as far as it came. */
export interface Heard {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** It came to its end by HTTP's rules. */
  readonly whole: boolean;
}

/** A call whose answer has begun to come; nothing of it is read yet. */
export interface Begun {
  readonly sent: ClientRequest;
  readonly answer: IncomingMessage;
}

interface Called {
  readonly method: string;
  readonly params: readonly unknown[];
}

const TRACE: Called = { method: 'debug_traceTransaction', params: [`0x${'1'.repeat(64)}`] };

/** Sends a call on a connection of its own. @param idRaw its id as JSON */
export function begin(url: string, idRaw: string, headers: Readonly<Record<string, string>> = {}, call: Called = TRACE): Promise<Begun> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent: false, headers: { 'content-type': 'application/json', ...headers } });
    sent.once('response', (answer) => {
      answer.on('error', () => undefined);
      resolve({ sent, answer });
    });
    sent.on('error', reject);
    sent.end(`{"jsonrpc":"2.0","id":${idRaw},"method":"${call.method}","params":${JSON.stringify(call.params)}}`);
  });
}

/** Reads an answer to its end, whole or not. */
export async function hear({ answer }: Begun): Promise<Heard> {
  const pieces: Buffer[] = [];
  answer.on('data', (piece: Buffer) => pieces.push(piece));
  await new Promise<void>((resolve) => void answer.once('close', () => resolve()));
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces), whole: answer.complete };
}

export const tell = async (url: string, idRaw: string, headers: Readonly<Record<string, string>> = {}): Promise<Heard> => hear(await begin(url, idRaw, headers));

/** Writes pieces as fast as the other side takes them. @returns bytes written; fewer than all when it left */
export async function pour(response: ServerResponse, pieces: Iterable<Buffer>): Promise<number> {
  let wroteBytes = 0;
  for (const piece of pieces) {
    if (response.destroyed) break;
    wroteBytes += piece.length;
    if (response.write(piece)) await turn();
    else await new Promise<void>((resolve) => {
      const go = (): void => {
        response.off('drain', go).off('close', go);
        resolve();
      };
      response.once('drain', go).once('close', go);
    });
  }
  return wroteBytes;
}
