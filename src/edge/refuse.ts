import { FAULTS } from '../base/fault.ts';
import type { FaultKind } from '../base/fault.ts';
import type { EdgeAnswer } from './port.ts';

const JSON_HEADERS = ['content-type', 'application/json'] as const;
const METHOD_HEADERS = [...JSON_HEADERS, 'allow', 'POST, OPTIONS'] as const;
const VERSION_HEADERS = [...JSON_HEADERS, 'sec-websocket-version', '13'] as const;

/** The answer to a request that the edge itself refuses: a JSON-RPC error with the id null. */
export function refusalAnswer(kind: FaultKind, detail = ''): EdgeAnswer {
  const spec = FAULTS[kind];
  const message = detail === '' ? spec.message : `${spec.message}: ${detail}`;
  const body = `{"jsonrpc":"2.0","id":null,"error":{"code":${spec.code},"message":${JSON.stringify(message)}}}`;
  const headers = kind === 'httpMethod' ? METHOD_HEADERS : kind === 'upgradeVersion' ? VERSION_HEADERS : JSON_HEADERS;
  return { status: spec.status, headers, body };
}
