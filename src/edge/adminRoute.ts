/** What an admin handler gets. */
export interface AdminRequest {
  readonly method: string;
  /** Values of the `:name` segments of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  /** Value of a header by its lower-case name, or ''. */
  header(name: string): string;
}

export interface AdminReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Goes on until either side ends it; `body` is not sent then. */
  readonly stream?: AdminStream;
}

/** Where a streamed answer is written to. */
export interface AdminSink {
  /** False: wait for `onDrain` before more is written. */
  write(text: string): boolean;
  /** Cuts it off. */
  cut(): void;
}

/** An answer without an end. */
export interface AdminStream {
  open(sink: AdminSink): { onDrain(): void; onClose(): void };
}

export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A segment `:name` takes any one segment. The first route that fits wins. */
  readonly path: string;
  readonly handler: (request: AdminRequest) => AdminReply | Promise<AdminReply>;
}

/** A JSON answer; a refusal has a member `error`. */
export function jsonReply(value: unknown, status = 200): AdminReply {
  return { status, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(value)}\n` };
}

export function textReply(body: string, status = 200, contentType = 'text/plain; charset=utf-8'): AdminReply {
  return { status, headers: { 'content-type': contentType }, body };
}

/** What a path and method lead to: a route with its params, or the methods that the path has (none: unknown path). */
export type Match =
  | { readonly route: AdminRoute; readonly params: Readonly<Record<string, string>> }
  | { readonly route: null; readonly allowed: readonly string[] };

/** Finds the first route that fits; HEAD is served as GET. */
export function matchRoute(routes: readonly AdminRoute[], method: string, segments: readonly string[]): Match {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const allowed = new Set<string>();
  for (const route of routes) {
    const params = matchPath(route.path, segments);
    if (params === null) continue;
    if (route.method === wanted) return { route, params };
    allowed.add(route.method);
    if (route.method === 'GET') allowed.add('HEAD');
  }
  return { route: null, allowed: [...allowed].sort() };
}

/** Decoded segments of a request path, or null when it is no path or its percent-encoding is broken. */
export function splitPath(path: string): string[] | null {
  if (!path.startsWith('/')) return null;
  try {
    return path.slice(1).split('/').map(decodeURIComponent);
  } catch {
    return null;
  }
}

function matchPath(pattern: string, segments: readonly string[]): Record<string, string> | null {
  const parts = pattern.slice(1).split('/');
  if (parts.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    const segment = segments[i] ?? '';
    if (part.startsWith(':') && segment !== '') params[part.slice(1)] = segment;
    else if (part !== segment) return null;
  }
  return params;
}
