import type { HeadScan } from './head.ts';
import { judgeShape } from './judge.ts';
import type { JudgeRules, Refusal } from './judge.ts';

const bad = (detail: string): Refusal => ({ kind: 'badUpgrade', detail });

const NO = {
  method: { kind: 'httpMethod', detail: '' },
  off: bad('this port serves no WebSocket'),
  upgrade: bad('Upgrade is not websocket'),
  connection: bad('Connection does not name upgrade'),
  key: bad('Sec-WebSocket-Key is not 16 bytes in base64'),
  body: bad('it has a body'),
  origins: bad('more than one Origin'),
  version: { kind: 'upgradeVersion', detail: '' },
} as const satisfies Record<string, Refusal>;

/** 16 bytes in base64: the last digit before the padding has only its two upper bits. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const NAMES_UPGRADE = /(?:^|,)[\t ]*upgrade[\t ]*(?:,|$)/i;

/** True for a request that asks for a WebSocket, rightly or not. */
export function asksForSocket(head: HeadScan): boolean {
  return head.method === 'GET' && (head.webSocketKeys > 0 || head.upgrade.toLowerCase() === 'websocket');
}

/**
 * Judges a request for a WebSocket by RFC 6455 section 4.2.1, before anything is accepted, alike on every engine.
 * @returns why it is refused, or null; after any refusal the connection is closed.
 */
export function judgeUpgrade(head: HeadScan, rules: Pick<JudgeRules, 'maxHeaderBytes'> & { readonly webSocket: { readonly enabled: boolean } }): Refusal | null {
  const shape = judgeShape(head, rules);
  if (shape !== null) return shape;
  if (head.upgrades === 0) return NO.method;
  if (!rules.webSocket.enabled) return NO.off;
  if (head.upgrades > 1 || head.upgrade.toLowerCase() !== 'websocket') return NO.upgrade;
  if (!NAMES_UPGRADE.test(head.connection)) return NO.connection;
  if (head.webSocketVersions !== 1 || head.webSocketVersion !== '13') return NO.version;
  if (head.webSocketKeys !== 1 || !KEY.test(head.webSocketKey)) return NO.key;
  if (head.chunked || head.announcedBytes > 0 || head.expects > 0) return NO.body;
  return head.origins > 1 ? NO.origins : null;
}
