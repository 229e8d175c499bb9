import { Fault } from '../../base/fault.ts';
import type { FaultKind } from '../../base/fault.ts';
import { joinPages } from '../../chain/logs/page.ts';
import { hasOddMembers, readLogQuery, resolveSpan } from '../../chain/logs/query.ts';
import type { LogQuery } from '../../chain/logs/query.ts';
import type { LogPart } from '../../chain/logs/work.ts';
import { errorEnvelope } from '../../rpc/envelope.ts';
import type { ChainRuntime } from '../chain.ts';
import type { CallAnswer } from '../callFacts.ts';
import type { Client, ServeContext } from '../context.ts';
import { LogsCollector, partsBytes } from './collect.ts';
import type { Collected } from './collect.ts';
import type { LogsFailure } from './pump.ts';
import { InnerCall } from '../inner.ts';
import { PLAIN } from '../innerPort.ts';
import { BlockAsk } from './blockAsk.ts';
import { PagesFlow } from './pagesFlow.ts';
import { RunFrame } from './runFrame.ts';
import type { FrameFacts } from './runFrame.ts';

/** How often a query begins anew because the trusted chain changed under it. */
const MAX_RERUNS = 3;
/** What begins the answer to a call of our own. */
const OWN_ID = '{"jsonrpc":"2.0","id":0,';

const NOTHING = Buffer.alloc(0);

type Moved = 'moved';

/** One `eth_getLogs` of a client: whole, of one branch, whatever single nodes take, lack or lose. */
export class LogsRun {
  /** Whether another trusted branch, or another head, can make another answer of this one. */
  mayChange = false;
  readonly raised = false;
  private readonly server: ServeContext;
  private readonly chain: ChainRuntime;
  private readonly client: Client;
  private readonly query: LogQuery | Fault;
  private readonly paramsRaw: string;
  private readonly frame: RunFrame;
  private collector: { abandon(): void; readonly asked?: boolean } | null = null;

  /** @param isPart it is part of a call that counts already */
  constructor(server: ServeContext, chain: ChainRuntime, facts: FrameFacts, isPart = false) {
    this.server = server;
    this.chain = chain;
    this.client = facts.client;
    this.paramsRaw = facts.call.paramsRaw;
    this.query = readLogQuery(facts.spec, this.paramsRaw, chain.config.logs.maxFilterItems);
    this.frame = new RunFrame(server, chain, facts, isPart);
  }

  /** @param done gets the answer exactly once, unless the call is abandoned; possibly before this returns */
  start(done: (answer: CallAnswer) => void): void {
    const { frame, query } = this;
    if (!frame.begin(done, () => this.collector?.abandon())) return;
    if (query instanceof Fault) frame.end(this.refusal(query));
    else void this.serve(query).then((answer) => frame.end(answer), (error: unknown) => frame.fail(error));
  }

  /** The client is gone: nobody waits for the answer any more. */
  abandon(): void {
    this.frame.abandon();
  }

  private async serve(query: LogQuery): Promise<CallAnswer> {
    // a node is to say what it makes of it
    if (hasOddMembers(this.paramsRaw)) return this.conclude(await this.plain());
    for (let turn = 0; ; turn++) {
      const parts = query.kind === 'block' ? await this.ofBlock(query) : await this.ofRange(query);
      if (!this.frame.live) return this.refusal(new Fault('deadline'));
      const isMoved = parts === 'moved' || (this.mayChange && this.client.vantage.epoch !== this.chain.view.epoch);
      if (!isMoved || (parts !== 'moved' && (this.client.inBatch || turn >= MAX_RERUNS))) return this.conclude(parts as Collected);
      if (this.client.inBatch || turn >= MAX_RERUNS) return this.refusal(new Fault('notAtHead', '', null, 1));
      this.chain.metrics.view.onEvent('begun_anew');
      await this.anew();
    }
  }

  private conclude(parts: Collected): CallAnswer {
    if ('failure' in parts) return this.refusal(parts.failure);
    const { maxAnswerBytes } = this.chain.config.logs;
    const sizeBytes = partsBytes(parts);
    if (sizeBytes > maxAnswerBytes) return this.refusal(new Fault('logsTooLarge', `over ${maxAnswerBytes} bytes`));
    const head = `{"jsonrpc":"2.0","id":${this.frame.idRaw},"result":`;
    const pages = parts.map(({ page }) => page);
    const { streamAboveBytes } = this.server.parts.server;
    const isLarge = this.client.streams === true && streamAboveBytes > 0 && sizeBytes > streamAboveBytes;
    const body = isLarge ? NOTHING : joinPages(pages, head, '}');
    const answer: CallAnswer = { status: 200, body, upstream: '', retryAfterS: 0, outcome: 'result', cache: this.collector?.asked === false ? 'hit' : 'miss' };
    return isLarge ? { ...answer, flow: new PagesFlow(pages, head, '}') } : answer;
  }

  private async ofBlock({ hash, filter }: Extract<LogQuery, { kind: 'block' }>): Promise<Collected | Moved> {
    const header = await this.chain.logs.headers.of(new BlockAsk(this.server, this.chain), hash);
    if (header === null) return this.plain();
    const collector = new LogsCollector(this.server, this.chain, this.client.vantage);
    this.collector = collector;
    return collector.blocks(filter, [header]);
  }

  private async ofRange(query: Extract<LogQuery, { kind: 'range' }>): Promise<Collected | Moved> {
    await this.reach(query);
    const { vantage } = this.client;
    const { chain } = this;
    const final = chain.logs.finalNumber(vantage);
    const isSafe = [query.from, query.to].some((point) => point.kind === 'tag' && point.tag === 'safe');
    const safe = isSafe ? await chain.logs.headers.safeNumber(new BlockAsk(this.server, chain), vantage.number) : -1;
    const span = resolveSpan(query, { head: vantage.number, finalized: vantage.finalized?.number ?? -1, safe });
    if (span === null) return this.plain();
    if (span instanceof Fault) return { failure: span };
    this.mayChange = span.to > final;
    const collector = new LogsCollector(this.server, chain, vantage);
    this.collector = collector;
    const low = { from: span.from, to: Math.min(span.to, final) };
    const high = { from: Math.max(span.from, final + 1), to: span.to };
    const recent = high.from > high.to ? [] : await collector.recent(query.filter, high);
    if (recent === null) return 'moved';
    if ('failure' in recent || !this.frame.live) return recent;
    const settled = low.from > low.to ? [] : await collector.final(query.filter, low);
    return 'failure' in settled ? settled : joined(settled, recent);
  }

  /** What nodes say to the call as it is. */
  private async plain(): Promise<Collected> {
    const { client, paramsRaw } = this;
    const call = new InnerCall(this.server, this.chain, { method: 'eth_getLogs', paramsRaw, vantage: client.vantage }, PLAIN);
    this.collector = call;
    const answer = await call.run();
    return { failure: answer ?? new Fault('deadline') };
  }

  /** A block above the trusted head that some node has told of: the head will get there. */
  private async reach({ from, to }: Extract<LogQuery, { kind: 'range' }>): Promise<void> {
    const { chain, client } = this;
    const top = Math.max(...[from, to].map((point) => (point.kind === 'number' ? point.number : -1)));
    const isTold = chain.table.serving.some((index) => (chain.table.entries[index]?.headNumber ?? -1) >= top);
    if (top <= client.vantage.number || client.inBatch || !isTold) return;
    await this.until(() => (chain.view.head?.number ?? -1) >= top);
    client.vantage = chain.tip.now();
  }

  /** Begins on the chain as it is now, once it is another one. */
  private async anew(): Promise<void> {
    const { chain, client } = this;
    const { text } = client.vantage;
    await this.until(() => chain.tip.now().text !== text);
    client.vantage = chain.tip.now();
  }

  private until(holds: () => boolean): Promise<void> {
    const { chain } = this;
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => void chain.tip.wait(holds, chain.config.view.maxWaitMs, () => resolve()));
  }

  private refusal(failure: LogsFailure): CallAnswer {
    const { idRaw } = this.frame;
    if (!(failure instanceof Fault)) return { ...failure, body: Buffer.concat([Buffer.from(`{"jsonrpc":"2.0","id":${idRaw},`, 'latin1'), failure.body.subarray(OWN_ID.length)]) };
    const { spec, retryAfterS } = failure;
    return { status: spec.status, body: errorEnvelope(idRaw, failure), upstream: '', retryAfterS, outcome: spec.kind as FaultKind, cache: 'bypass' };
  }
}

const joined = (low: readonly LogPart[], high: readonly LogPart[]): readonly LogPart[] => [...low, ...high];
