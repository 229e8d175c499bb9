import type { Entry } from '../cache/entry.ts';
import { answerHead, closedValue, nodeErrorEnvelope, resultEnvelope } from '../rpc/envelope.ts';

/** What of an answer is made for its caller, and what follows that as it is kept. */
interface StoredBody {
  readonly body: Buffer;
  readonly rest?: Uint8Array;
}

/** A stored answer under its caller's id. @param inParts it goes out by itself over HTTP, so that a large value need not be copied */
export function storedBody(idRaw: string, { value, isError }: Entry, inParts: boolean): StoredBody {
  const rest = inParts ? closedValue(value) : null;
  if (rest !== null) return { body: answerHead(idRaw, isError), rest };
  return { body: isError ? nodeErrorEnvelope(idRaw, value) : resultEnvelope(idRaw, value) };
}
