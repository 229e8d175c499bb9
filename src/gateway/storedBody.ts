import type { Entry } from '../cache/entry.ts';
import { answerHead, closedValue, nodeErrorEnvelope, resultEnvelope } from '../rpc/envelope.ts';

/** What of an answer is made for its caller, and what follows that from where it lies. */
export interface PartedBody {
  readonly body: Buffer;
  readonly rest?: Uint8Array;
}

/** An answer with a value under its caller's id. @param inParts it goes out by itself over HTTP, so that a large value need not be copied */
export function storedBody(idRaw: string, { value, isError }: Pick<Entry, 'value' | 'isError'>, inParts: boolean): PartedBody {
  const rest = inParts ? closedValue(value) : null;
  if (rest !== null) return { body: answerHead(idRaw, isError), rest };
  return { body: isError ? nodeErrorEnvelope(idRaw, value) : resultEnvelope(idRaw, value) };
}
