import type { Random } from '../../src/base/random.ts';
import type { EdgeAnswer } from '../../src/edge/port.ts';
import { readMinBlock } from '../../src/chain/minBlock.ts';
import type { ViewEdge } from './viewEdge.ts';
import type { VirtualWorld } from './world.ts';

const A = '0x00000000000000000000000000000000000000aa';
const DEADLINE_MS = 36_000;

interface Block {
  readonly number: string;
  readonly hash: string;
}

interface Entry {
  readonly id: number;
  readonly result?: unknown;
}

type Question = readonly [method: string, params: readonly unknown[]];

/** What a client checks its answers with. */
export interface ViewWitness {
  readonly world: VirtualWorld;
  readonly random: Random;
  readonly edges: readonly ViewEdge[];
  /** States are exact: every call names its block by hash. */
  readonly exact: boolean;
  /** Blocks that ever were on the chain; a lying minority makes others. */
  readonly known: ReadonlySet<string>;
  fault(text: string): void;
}

/** One client: one request after the other, to either edge, with the newest block that it has seen. */
export class ViewClient {
  answered = 0;
  refused = 0;
  readonly #w: ViewWitness;
  /** By edge: header and epoch of the last answer. */
  readonly #last = new Map<ViewEdge, { readonly number: number; readonly epoch: number }>();
  #seen = '';
  #block: Block | null = null;

  constructor(witness: ViewWitness) {
    this.#w = witness;
    witness.world.after(1000 + witness.random() * 500, () => this.#next());
  }

  #next(): void {
    const { random, world, edges } = this.#w;
    const edge = edges[Math.floor(random() * edges.length)] as ViewEdge;
    // on one edge the guarantee holds without the header; from edge to edge the header carries it
    const minBlock = edges.length > 1 || random() < 0.5 ? this.#seen : '';
    const questions = random() < 0.2 ? [this.#latest(), this.#state('latest'), this.#head(), this.#state('latest')] : [this.#draw()];
    const calls = questions.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }));
    const startedMs = world.nowMs;
    let answers = 0;
    edge.post(calls.length === 1 ? calls[0] : calls, minBlock, (answer) => {
      if (++answers > 1) return this.#w.fault('a request was answered twice');
      if (world.nowMs - startedMs > DEADLINE_MS) this.#w.fault(`a request took ${world.nowMs - startedMs} ms`);
      this.#take(edge, minBlock, questions, answer);
      world.after(random() * 120, () => this.#next());
    });
  }

  #draw(): Question {
    const { random } = this.#w;
    const near = this.#block === null ? 'latest' : `0x${(Number(this.#block.number) - Math.floor(random() * 14)).toString(16)}`;
    const all: readonly Question[] = [this.#head(), this.#latest(), ['eth_getBlockByNumber', [near, false]], this.#state('latest'), this.#state(near), ['eth_getBlockByHash', [this.#block?.hash ?? `0x${'0'.repeat(64)}`, false]]];
    return all[Math.floor(random() * all.length)] as Question;
  }

  readonly #head = (): Question => ['eth_blockNumber', []];
  readonly #latest = (): Question => ['eth_getBlockByNumber', ['latest', false]];
  readonly #state = (at: string): Question => ['eth_getBalance', [A, at]];

  #take(edge: ViewEdge, minBlock: string, questions: readonly Question[], answer: EdgeAnswer): void {
    const at = answer.headers.indexOf('x-tidegate-block');
    const text = at < 0 ? '' : (answer.headers[at + 1] ?? '');
    const header = readMinBlock(text);
    if (answer.status !== 200 || header === null) {
      this.refused++;
      return;
    }
    this.answered++;
    const last = this.#last.get(edge);
    const { epoch } = edge.view;
    if (last !== undefined && last.epoch === epoch && header.number < last.number) this.#w.fault(`the head went from ${last.number} to ${header.number} without a reorg`);
    this.#last.set(edge, { number: header.number, epoch });
    const seen = readMinBlock(minBlock);
    if (seen !== null && !edge.chain.tip.hasReached(seen)) this.#w.fault(`asked from ${minBlock} on, shown ${text}`);
    if (edge.view.hashAt(header.number) !== header.hash) this.#w.fault(`x-tidegate-block ${text} is not on the trusted branch`);
    this.#seen = text;
    const body = JSON.parse(answer.body.toString()) as Entry | readonly Entry[];
    const entries = Array.isArray(body) ? (body as readonly Entry[]) : [body as Entry];
    for (const entry of entries) this.#check(edge, header, questions[entry.id] as Question, { result: entry.result, inBatch: entries.length > 1 });
  }

  #check(edge: ViewEdge, header: { number: number; hash: string }, [method, params]: Question, told: { readonly result: unknown; readonly inBatch: boolean }): void {
    const { result, inBatch } = told;
    if (result === undefined || result === null) return;
    if (method === 'eth_blockNumber') {
      if (Number(result) !== header.number) this.#w.fault(`eth_blockNumber ${String(result)} under ${header.number}`);
      return;
    }
    const isState = method === 'eth_getBalance';
    if (isState && !this.#w.exact) return;
    const hash = isState ? String(result) : (result as Block).hash;
    const number = isState ? Number.parseInt(hash.slice(10), 16) : Number((result as Block).number);
    const what = `${method} ${JSON.stringify(params)}`;
    const ours = edge.view.hashAt(number);
    // heights that the edge knows no hash of are not checked by it
    if (ours !== '' && !this.#w.known.has(hash)) this.#w.fault(`${what}: ${hash} was never on the chain`);
    if (number > header.number) this.#w.fault(`${what}: block ${number} is above ${header.number}`);
    if (ours !== '' && ours !== hash) this.#w.fault(`${what}: ${number} ${hash} is not on the trusted branch`);
    const isLatest = params.includes('latest');
    if (isLatest && (inBatch || isState ? hash !== header.hash : number > header.number)) this.#w.fault(`${what}: ${hash} under ${header.number}:${header.hash}`);
    if (!isState && (isLatest || method === 'eth_getBlockByNumber')) this.#block = result as Block;
  }
}
