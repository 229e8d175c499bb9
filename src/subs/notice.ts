import type { Loss } from './line.ts';

/** A notice as `eth_subscribe` promises it. @param resultRaw raw JSON */
export function subscriptionNotice(id: string, resultRaw: string): string {
  return `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${id}","result":${resultRaw}}}`;
}

/** Tells a client that blocks are missing from a subscription: it has to read them itself. */
export function lossNotice(id: string, { kind, from, to }: Loss): string {
  const place = `"fromBlock":"0x${from.toString(16)}","toBlock":"0x${to.toString(16)}"`;
  return `{"jsonrpc":"2.0","method":"gateway_notice","params":{"subscription":"${id}","kind":"${kind}",${place}}}`;
}

/** Tells a slow client how many of its notices were given up. */
export function droppedNotice(count: number): string {
  return `{"jsonrpc":"2.0","method":"gateway_notice","params":{"kind":"dropped","count":${count}}}`;
}
