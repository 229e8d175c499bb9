/** A node that is asked for proofs. Its URL appears in no message. */
export interface Asked {
  readonly name: string;
  readonly url: string;
}

/** A call of a batch. */
export interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** A node gave no usable answer. */
export class AskFault extends Error {}

const MAX_BYTES = 256 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/** Why there is no answer; never the URL, which may hold a key. */
const whyNone = (error: unknown): string => {
  if (error instanceof SyntaxError) return 'no JSON answer';
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer in time';
  const code = error instanceof Error ? (error.cause as { readonly code?: unknown } | undefined)?.code : undefined;
  return typeof code === 'string' ? `cannot be reached (${code})` : 'cannot be reached';
};

const post = async ({ name, url }: Asked, body: string): Promise<unknown> => {
  try {
    const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' }, signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
    if (Number(answer.headers.get('content-length') ?? 0) > MAX_BYTES) throw new AskFault(`${name}: the answer is over ${MAX_BYTES} bytes`);
    return await answer.json();
  } catch (error) {
    if (error instanceof AskFault) throw error;
    throw new AskFault(`${name}: ${whyNone(error)}`);
  }
};

const resultOf = (name: string, { method }: Call, answer: unknown): unknown => {
  const { result, error } = (answer ?? {}) as { readonly result?: unknown; readonly error?: { readonly message?: unknown } };
  if (error !== undefined && error !== null) throw new AskFault(`${name}: ${method}: ${String(error.message).slice(0, 200)}`);
  if (result === undefined) throw new AskFault(`${name}: ${method}: an answer without a result`);
  return result;
};

/** Asks one call. @throws AskFault */
export async function ask(node: Asked, method: string, params: readonly unknown[]): Promise<unknown> {
  return resultOf(node.name, { method, params }, await post(node, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })));
}

/** Asks several calls as one batch. @returns results in the order of the calls. @throws AskFault at the first error */
export async function askAll(node: Asked, calls: readonly Call[]): Promise<unknown[]> {
  if (calls.length === 0) return [];
  const answers = await post(node, JSON.stringify(calls.map((call, id) => ({ jsonrpc: '2.0', id, ...call }))));
  if (!Array.isArray(answers)) throw new AskFault(`${node.name}: answers a batch with no list`);
  const byId = new Map((answers as { readonly id?: unknown }[]).map((answer) => [answer?.id, answer]));
  return calls.map((call, id) => resultOf(node.name, call, byId.get(id)));
}
