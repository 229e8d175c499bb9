import type { Asked } from '../subs/want.ts';
import { parseJson, question, readAnswer } from '../upstream/family.ts';
import type { UpstreamClient } from '../upstream/port.ts';

/** A call of our own. */
export interface Question {
  readonly method: string;
  readonly paramsRaw: string;
}

/** What came of a question: the result, or null where there was none. */
export type NodeWord = { readonly value: unknown } | null;

/** The call that asks what is wanted of a block. */
export function questionAbout({ kind, hash }: Asked): Question {
  if (kind === 'header') return { method: 'eth_getBlockByHash', paramsRaw: `["${hash}",false]` };
  if (kind === 'receipts') return { method: 'eth_getBlockReceipts', paramsRaw: `["${hash}"]` };
  return { method: 'eth_getLogs', paramsRaw: `[{"blockHash":"${hash}"}]` };
}

/** Puts one question to a node. @param done is called once, never within this call */
export function askNode(client: UpstreamClient, { method, paramsRaw }: Question, timeoutMs: number, done: (word: NodeWord) => void): void {
  client.send(question(1, method, paramsRaw), timeoutMs, {
    onReply: (_status, body) => {
      const answer = readAnswer(parseJson(body.toString('utf8')));
      done(answer !== null && answer.kind === 'result' && answer.id === 1 ? { value: answer.value } : null);
    },
    onFailure: () => done(null),
  });
}
