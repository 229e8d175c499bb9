import { Fault } from '../base/fault.ts';
import type { EdgeAnswer, EdgeExchange, EdgeSocket, SocketSink } from '../edge/port.ts';
import type { Grant } from '../route/admission.ts';
import { scanBody } from '../rpc/scan.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import { faultAnswer } from './answers.ts';
import type { ChainRuntime } from './chain.ts';
import type { SubscriptionMember } from './chainSubs.ts';
import type { RequestHost } from './context.ts';
import { RequestRun } from './requestRun.ts';

/** What the request for a WebSocket told. */
export interface SocketFacts {
  /** Name of its key, else its address. */
  readonly clientName: string;
  readonly grant: Grant | null;
  /** Called once, when the connection is closed. */
  leave(): void;
}

const CLOSED = 'the connection is not open';

/** One WebSocket connection of a client: each message is a request like that of HTTP, and there are subscriptions. */
export class SocketRun implements SocketSink {
  readonly chain: ChainRuntime;
  readonly facts: SocketFacts;
  private readonly server: RequestHost;
  private readonly running = new Set<SocketExchange>();
  private socket: EdgeSocket | null = null;
  private member: SubscriptionMember | null = null;

  constructor(server: RequestHost, chain: ChainRuntime, facts: SocketFacts) {
    this.server = server;
    this.chain = chain;
    this.facts = facts;
  }

  onOpen(socket: EdgeSocket): void {
    this.socket = socket;
    this.member = this.chain.subs.attach(socket);
  }

  onMessage(message: Buffer): void {
    const { server, chain } = this;
    if (this.member === null) return;
    const isFull = server.inFlight >= server.parts.server.maxInFlight || this.running.size >= server.parts.server.webSocket.maxInFlight;
    if (isFull) return this.refuse(message, new Fault('overloaded'));
    const told = chain.subs.toldNumber(this.member);
    const raced = chain.subs.raced(this.member);
    const exchange = new SocketExchange(this);
    const { clientName, grant } = this.facts;
    const seen = told < 0 ? null : { number: told, hash: '' };
    const run = new RequestRun(server, chain, { clientName, grant, seen, raced, explains: false, noCache: false, local: (call, inBatch) => exchange.local(call, inBatch) });
    exchange.run = run;
    this.running.add(exchange);
    if (!run.glance(message, exchange)) run.onBody(message, exchange);
  }

  onDrain(): void {
    if (this.member !== null) this.chain.subs.onDrain(this.member);
  }

  onClose(): void {
    if (this.member !== null) this.chain.subs.detach(this.member);
    this.member = null;
    this.socket = null;
    for (const exchange of [...this.running]) exchange.run?.onGone();
    this.running.clear();
    this.facts.leave();
  }

  get gone(): boolean {
    return this.socket === null;
  }

  /** A request has its answer. @param body null = there is nothing to answer */
  finish(exchange: SocketExchange, body: Uint8Array | string | null): void {
    this.running.delete(exchange);
    if (body !== null) this.socket?.send(body);
  }

  hold(): void {
    if (this.member !== null) this.chain.subs.hold(this.member);
  }

  release(): void {
    if (this.member !== null) this.chain.subs.release(this.member);
  }

  /** `eth_subscribe` and `eth_unsubscribe`. @returns raw JSON of the result */
  subscription(call: ScannedCall): string | Fault {
    if (this.member === null) return new Fault('internal', CLOSED);
    const { subs } = this.chain;
    return call.method === 'eth_subscribe' ? subs.subscribe(this.member, call.paramsRaw) : subs.unsubscribe(this.member, call.paramsRaw);
  }

  private refuse(message: Buffer, fault: Fault): void {
    const scanned = scanBody(message, this.server.limits);
    this.server.parts.metrics.onRefusal(fault.spec.kind);
    const idRaw = scanned.kind === 'single' ? scanned.call.idRaw : 'null';
    if (idRaw !== null) this.socket?.send(faultAnswer(fault, idRaw).body);
  }
}

/** One message of a client, as the serve path sees a request. */
class SocketExchange implements EdgeExchange {
  readonly copiesBelow = 0;
  run: RequestRun | null = null;
  private readonly socket: SocketRun;
  private holds = false;

  constructor(socket: SocketRun) {
    this.socket = socket;
  }

  get gone(): boolean {
    return this.socket.gone;
  }

  remoteAddress(): string {
    return this.socket.facts.clientName;
  }

  answer(answer: EdgeAnswer): void {
    const { status, body, rest } = answer;
    this.socket.finish(this, status === 204 ? null : rest === undefined ? body : Buffer.concat([Buffer.from(body as Uint8Array), rest]));
    if (this.holds) this.socket.release();
    this.holds = false;
  }

  /** A call that is answered here. The answer to a batch must come before the notices of what it subscribes to. */
  local(call: ScannedCall, inBatch: boolean): string | Fault {
    if (inBatch && !this.holds) {
      this.holds = true;
      this.socket.hold();
    }
    return this.socket.subscription(call);
  }
}
