import { mkdtempSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concat } from 'ethers';
import { startAnvil } from '../../src/devnet/anvil.ts';
import type { Anvil } from '../../src/devnet/anvil.ts';
import { findAnvil } from '../../src/devnet/binary.ts';
import { devWallet, rpc } from './client.ts';

const GENESIS_S = 1_700_000_000;
/** Emits LOG2 twice: topics (word 0, word 1), then (word 1, word 0), of the call data. */
const EMITTER = '0x60203560003560006000a2' + '60003560203560006000a200';
/** Init code: PUSH1 size, DUP1, PUSH1 offset, PUSH1 0, CODECOPY, PUSH1 0, RETURN. */
const EMITTER_INIT = concat([`0x60${((EMITTER.length - 2) / 2).toString(16)}80600b6000396000f3`, EMITTER]);

export const word = (value: number): string => `0x${value.toString(16).padStart(64, '0')}`;

interface Made {
  readonly timestampS: number;
  readonly raws: readonly string[];
  /** Of the sender, after it. */
  readonly nonce: number;
}

type Step = { readonly kind: 'mine'; readonly block: Made } | { readonly kind: 'back'; readonly depth: number };

/** A wire between the gateway and one node, which can be cut: connections are reset and none is taken. */
class Wire {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #whole = true;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(port: number): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server);
    server.on('connection', (near) => wire.#join(near, port));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    this.#whole = false;
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  mend(): void {
    this.#whole = true;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket, port: number): void {
    if (!this.#whole) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [[near, far], [far, near]] as const) {
      this.#open.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#open.delete(one);
        other.destroy();
      });
    }
  }
}

/** One real node that does what it is told, in its own time. */
class LockstepNode {
  readonly name: string;
  readonly wire: Wire;
  #anvil: Anvil;
  #steps: Step[] = [];
  #working: Promise<void> = Promise.resolve();
  /** Another number for each process; what was meant for an earlier one is void. */
  #life = 0;
  #dead = false;

  private constructor(name: string, anvil: Anvil, wire: Wire) {
    this.name = name;
    this.#anvil = anvil;
    this.wire = wire;
  }

  static async start(name: string): Promise<LockstepNode> {
    const anvil = await open(0);
    return new LockstepNode(name, anvil, await Wire.to(anvil.port));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#anvil.port}`;
  }

  /** Where the gateway reaches it. */
  get httpUrl(): string {
    return `http://127.0.0.1:${this.wire.port}`;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.wire.port}`;
  }

  tell(step: Step): void {
    if (this.#dead) return;
    this.#steps.push(step);
    const life = this.#life;
    this.#working = this.#working.then(() => this.#work(life)).catch(() => undefined);
  }

  /** Resolves when it has done all that it was told. */
  settled(): Promise<void> {
    return this.#working;
  }

  async kill(): Promise<void> {
    this.#life++;
    this.#dead = true;
    this.#anvil.kill('SIGKILL');
    await this.#anvil.exited;
  }

  /** Starts it anew, at the same port, and has it do all of this. */
  async revive(history: readonly Step[]): Promise<void> {
    this.#anvil = await open(this.#anvil.port);
    this.#working = Promise.resolve();
    this.#steps = [];
    this.#life++;
    this.#dead = false;
    for (const step of history) this.tell(step);
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#anvil.kill(name);
  }

  async close(): Promise<void> {
    this.#life++;
    this.wire.close();
    await this.#anvil.stop(1_000);
  }

  async #work(life: number): Promise<void> {
    if (life !== this.#life) return;
    const step = this.#steps.shift();
    if (step === undefined) return;
    if (step.kind === 'back') {
      await rpc(this.url, 'anvil_rollback', [step.depth]);
      return;
    }
    for (const raw of step.block.raws) await rpc(this.url, 'eth_sendRawTransaction', [raw]);
    await rpc(this.url, 'evm_mine', [{ timestamp: step.block.timestampS }]);
  }
}

async function open(port: number): Promise<Anvil> {
  return startAnvil({
    binary: findAnvil(),
    chain: { chainId: 31_337, genesisTimestamp: GENESIS_S, hardfork: 'prague' },
    port,
    directory: join(mkdtempSync(join(tmpdir(), 'tidegate-')), 'anvil'),
    startTimeoutMs: 20_000,
  });
}

/** Several real nodes that are made to build the same chain, block by block, and the same reorgs. */
export class Lockstep {
  readonly nodes: readonly LockstepNode[];
  readonly emitter: string;
  readonly #blocks: Made[] = [];
  /** anvil's base fee and randomness go on over a rollback: only the whole history makes the same hashes. */
  readonly #history: Step[] = [];
  readonly #wallet = devWallet(0);
  #rewinds = 0;
  #emits = 0;

  private constructor(nodes: readonly LockstepNode[], emitter: string) {
    this.nodes = nodes;
    this.emitter = emitter;
  }

  /** @param count how many nodes; one block with the emitter's contract is made */
  static async start(count: number): Promise<Lockstep> {
    const nodes = await Promise.all(Array.from({ length: count }, (_, i) => LockstepNode.start(`node-${i + 1}`)));
    // the address of the first contract of development account 0
    const lockstep = new Lockstep(nodes, '0x5fbdb2315678afecb367f032d93f642f64180aa3');
    const raw = await lockstep.#sign(0, { data: EMITTER_INIT });
    lockstep.#make({ timestampS: GENESIS_S + 10, raws: [raw], nonce: 1 });
    await lockstep.settled();
    return lockstep;
  }

  /** Number of the newest block. */
  get tip(): number {
    return this.#blocks.length;
  }

  /** Makes a block whose transactions emit two logs each, with topics from 0 to `topics - 1`. */
  async block(transactions: number, topics: number): Promise<void> {
    const before = this.#blocks.at(-1);
    const first = before?.nonce ?? 0;
    const raws: string[] = [];
    for (let i = 0; i < transactions; i++) {
      const emit = this.#emits++;
      const data = concat([word(emit % topics), word((emit * 7 + 3) % topics)]);
      raws.push(await this.#sign(first + i, { to: this.emitter, data }));
    }
    // another branch has other times, and so other hashes
    this.#make({ timestampS: (before?.timestampS ?? GENESIS_S) + 1 + (this.#rewinds % 5), raws, nonce: first + transactions });
  }

  /** Replaces the newest `depth` blocks by `depth + 1` others. */
  async reorg(depth: number, transactions: number, topics: number): Promise<void> {
    this.#blocks.splice(-depth);
    this.#rewinds++;
    this.#tell({ kind: 'back', depth });
    for (let i = 0; i <= depth; i++) await this.block(transactions, topics);
  }

  /** Starts a killed node anew with the chain as it is. */
  async revive(node: LockstepNode): Promise<void> {
    await node.revive(this.#history);
  }

  async settled(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.settled()));
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
  }

  #tell(step: Step): void {
    this.#history.push(step);
    for (const node of this.nodes) node.tell(step);
  }

  #make(block: Made): void {
    this.#blocks.push(block);
    this.#tell({ kind: 'mine', block });
  }

  #sign(nonce: number, over: { readonly to?: string; readonly data: string }): Promise<string> {
    const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n };
    return this.#wallet.signTransaction({ type: 2, chainId: 31_337, nonce, gasLimit: 200_000n, ...fees, ...over });
  }
}
