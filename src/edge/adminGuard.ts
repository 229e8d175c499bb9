import { jsonReply } from './adminRoute.ts';
import type { AdminReply, AdminRequest, AdminRoute } from './adminRoute.ts';
import type { TokenCheck } from './adminToken.ts';

/** The key that opens the routes that change something, or why nothing does. */
export type Lock = { readonly check: TokenCheck } | { readonly fault: string };

const refuse = (status: number, error: string): AdminReply => jsonReply({ error }, status);

/** A refusal, or null where the request may go on. Loopback alone would not stop a browser. */
export function guard(request: AdminRequest, lock: Lock): AdminReply | null {
  const host = request.header('host');
  if (host === '') return refuse(421, 'a Host header is required');
  if (isCrossSite(request, host)) return refuse(403, 'refused: the request comes from a page of another origin');
  if ('fault' in lock) return refuse(403, `requests that change something are off: ${lock.fault}`);
  if (!lock.check.allows(request.header('authorization'))) {
    const reply = refuse(401, 'the token of admin.tokenFile is required: Authorization: Bearer TOKEN');
    return { ...reply, headers: { ...reply.headers, 'www-authenticate': 'Bearer' } };
  }
  const [type = ''] = request.header('content-type').split(';');
  return type.trim().toLowerCase() === 'application/json' ? null : refuse(415, 'the content type must be application/json');
}

/** Only browsers send these headers, and no page can leave them out or choose them. */
function isCrossSite(request: AdminRequest, host: string): boolean {
  const origin = request.header('origin');
  if (origin !== '' && origin.toLowerCase() !== `http://${host.toLowerCase()}`) return true;
  const site = request.header('sec-fetch-site');
  return site !== '' && site !== 'same-origin' && site !== 'none';
}

/** What a request that changes something brings beside its path. */
export type AdminBody = Readonly<Record<string, unknown>>;

/** What is done for a request that was let in. */
export type GuardedHandler = (request: AdminRequest, body: AdminBody) => AdminReply | Promise<AdminReply>;

/** A route that changes something: guarded, its body a JSON object, or empty. */
export function guarded(path: string, lock: Lock, handler: GuardedHandler, method: 'POST' | 'DELETE' = 'POST'): AdminRoute {
  return {
    method,
    path,
    handler: (request) => {
      const refusal = guard(request, lock);
      if (refusal !== null) return refusal;
      const body = objectOf(request.body.toString('utf8'));
      return body === null ? refuse(400, 'the body must be a JSON object, or empty') : handler(request, body);
    },
  };
}

/** What is wrong with a body that has a member which is none of these; null = nothing. */
export function unknownMember(body: AdminBody, known: readonly string[]): string | null {
  const name = Object.keys(body).find((key) => !known.includes(key));
  return name === undefined ? null : `unknown member ${JSON.stringify(name.slice(0, 64))}`;
}

function objectOf(text: string): AdminBody | null {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as AdminBody) : null;
  } catch {
    return null;
  }
}
