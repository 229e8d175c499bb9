import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { rpc, Signer } from '../help/client.ts';
import { hashesOf, type TestDevnet, testDevnet } from '../help/devnet.ts';

let devnet: TestDevnet;
const signers = Array.from({ length: 10 }, (_, index) => new Signer(index));
const signer = (index: number): Signer => signers[index % signers.length] ?? new Signer(0);

beforeAll(async () => {
  devnet = await testDevnet();
});
afterAll(() => devnet.close());

async function sameEverywhere(): Promise<void> {
  await devnet.settled();
  const expected = Array.from({ length: devnet.sequencer.tip + 1 }, (_, number) => devnet.sequencer.hashOf(number));
  for (const node of devnet.nodes) expect(await hashesOf(node.httpUrl, devnet.sequencer.tip)).toEqual(expected);
}

/** Resolves when every node knows the transaction. */
async function spread(hash: string): Promise<void> {
  for (const node of devnet.nodes) {
    await expect.poll(() => rpc(node.httpUrl, 'eth_getTransactionByHash', [hash])).not.toBeNull();
  }
}

async function receiptsOf(url: string, hashes: readonly string[]): Promise<number> {
  const receipts = await Promise.all(hashes.map((hash) => rpc<{ status: string } | null>(url, 'eth_getTransactionReceipt', [hash])));
  return receipts.filter((receipt) => receipt?.status === '0x1').length;
}

/** Makes blocks until every node has good receipts of all transactions. */
async function minedEverywhere(hashes: readonly string[]): Promise<void> {
  const mined = async (): Promise<number> => {
    await devnet.mine(1);
    await devnet.settled();
    const counts = await Promise.all(devnet.nodes.map((node) => receiptsOf(node.httpUrl, hashes)));
    return Math.min(...counts);
  };
  await expect.poll(mined, { timeout: 10_000 }).toBe(hashes.length);
}

describe('three nodes under one sequencer', () => {
  it('start with the same block 0', async () => {
    await sameEverywhere();
  });

  it('make the same blocks of transactions of both types, sent to different nodes', async () => {
    const sent: string[] = [];
    for (let block = 0; block < 20; block++) {
      // Each fourth block is empty.
      const sends = Array.from({ length: block % 4 === 3 ? 0 : 6 }, async (_, at) => {
        const raw = await signer(block * 6 + at).sign(at % 2 === 0 ? 2 : 0);
        sent.push(await rpc<string>(devnet.url(at % 3), 'eth_sendRawTransaction', [raw]));
      });
      await Promise.all(sends);
      await devnet.mine(1);
    }
    expect(sent).toHaveLength(90);
    await minedEverywhere(sent);
    await sameEverywhere();
    expect(devnet.sequencer.pending).toBe(0);
  });

  it('know a pending transaction on every node, whichever it was sent to', async () => {
    await devnet.settled();
    const from = signer(4).wallet.address;
    const before = await rpc<string>(devnet.url(0), 'eth_getTransactionCount', [from, 'pending']);
    await spread(await rpc<string>(devnet.url(2), 'eth_sendRawTransaction', [await signer(4).sign()]));
    for (const node of devnet.nodes) {
      expect(Number(await rpc(node.httpUrl, 'eth_getTransactionCount', [from, 'pending']))).toBe(Number(before) + 1);
    }
    await devnet.mine(1);
    await sameEverywhere();
  });

  it('give timestamps that rise, near the wall clock or ahead of it by a second per block', async () => {
    const { timestamp } = await devnet.sequencer.blockNow();
    const next = await devnet.sequencer.blockNow();
    expect(next.timestamp).toBeGreaterThan(timestamp);
  });
});

describe('a node that dies', () => {
  it('is replayed to the same hashes when it starts again on its port', async () => {
    const [, second] = devnet.nodes;
    const port = second?.port;
    await second?.kill('SIGKILL');
    expect(second?.pid).toBeNull();
    const sent: string[] = [];
    for (let block = 0; block < 5; block++) {
      sent.push(await rpc<string>(devnet.url(2), 'eth_sendRawTransaction', [await signer(block).sign()]));
      await devnet.mine(1);
    }
    await second?.start();
    expect(second?.port).toBe(port);
    await minedEverywhere(sent);
    await sameEverywhere();
  });

  it('hands over when it led, and a transaction that only it had been sent is not lost', async () => {
    await devnet.settled();
    const index = devnet.sequencer.status().findIndex(({ leader }) => leader);
    const leader = devnet.nodes[index];
    const hash = await rpc<string>(devnet.url(index), 'eth_sendRawTransaction', [await signer(7).sign()]);
    await spread(hash);
    await leader?.kill('SIGKILL');
    const block = await devnet.sequencer.blockNow();
    expect(block.transactions.map((transaction) => transaction.hash)).toContain(hash);
    expect(block.builder).not.toBe(leader?.name);
    await leader?.start();
    await sameEverywhere();
  });

  it('stalls the chain when no other lives, and the chain goes on when one comes back', async () => {
    await Promise.all(devnet.nodes.map((node) => node.kill('SIGKILL')));
    await expect(devnet.sequencer.blockNow()).rejects.toThrow('no node is at the tip');
    const tip = devnet.sequencer.tip;
    await Promise.all(devnet.nodes.map((node) => node.start()));
    await devnet.settled();
    await expect.poll(() => devnet.sequencer.status().some(({ state }) => state === 'following')).toBe(true);
    await devnet.mine(1);
    expect(devnet.sequencer.tip).toBe(tip + 1);
    await sameEverywhere();
  });
});

describe('a node that hangs', () => {
  it('lets the others go on, and is put right when it wakes', async () => {
    await devnet.settled();
    await devnet.nodes[0]?.kill('SIGSTOP');
    await expect.poll(() => devnet.sequencer.blockNow().then(({ number }) => number), { timeout: 15_000 }).toBeGreaterThan(0);
    await devnet.mine(2);
    await devnet.nodes[0]?.kill('SIGCONT');
    await sameEverywhere();
  });
});

describe('a node that is held back', () => {
  it('lags exactly that many blocks, and catches up when let go', async () => {
    await devnet.settled();
    const head = async (): Promise<number> => Number(await rpc(devnet.url(2), 'eth_blockNumber'));
    devnet.sequencer.hold(2, 10);
    onTestFinished(() => devnet.sequencer.hold(2, 0));
    const from = devnet.sequencer.tip;
    await devnet.mine(4);
    await devnet.settled([0, 1]);
    expect(await head()).toBe(from);
    for (let block = 0; block < 8; block++) {
      await rpc(devnet.url(2), 'eth_sendRawTransaction', [await signer(block).sign()]);
      await devnet.mine(1);
    }
    await devnet.sequencer.reached(2, from + 2);
    expect(await head()).toBe(from + 2);
    expect(devnet.sequencer.status()[2]).toMatchObject({ state: 'held', height: from + 2, target: from + 2 });
    devnet.sequencer.hold(2, 0);
    await sameEverywhere();
  });

  it('makes the chain’s block without a transaction that only it had been sent meanwhile, and does not lose that', async () => {
    await devnet.settled();
    const rollbacks = (): number => devnet.reports.filter(({ message, fields }) => message.includes('rolled back') && fields['node'] === devnet.nodes[2]?.name).length;
    const before = rollbacks();
    devnet.sequencer.hold(2, 1);
    onTestFinished(() => devnet.sequencer.hold(2, 0));
    await devnet.mine(1);
    const hash = await rpc<string>(devnet.url(2), 'eth_sendRawTransaction', [await signer(5).sign()]);
    devnet.sequencer.hold(2, 0);
    await devnet.settled();
    expect(rollbacks()).toBe(before);
    await minedEverywhere([hash]);
    await sameEverywhere();
    expect(rollbacks()).toBe(before);
  });

  it('refuses a hold that is no whole number, or of no node', () => {
    expect(() => devnet.sequencer.hold(0, -1)).toThrow('whole number');
    expect(() => devnet.sequencer.hold(9, 1)).toThrow('there is no node 9');
  });
});

describe('a node that diverges', () => {
  it('is rolled back when it made blocks of its own, and their transactions are not lost', async () => {
    await devnet.settled();
    const hash = await rpc<string>(devnet.url(2), 'eth_sendRawTransaction', [await signer(3).sign()]);
    await rpc(devnet.url(2), 'evm_mine');
    await rpc(devnet.url(2), 'evm_mine');
    await minedEverywhere([hash]);
    await sameEverywhere();
    expect(devnet.reports.at(-1)).toMatchObject({ message: expect.stringContaining('rolled back'), fields: { node: 'anvil-3' } });
  });

  it('starts anew when its state was changed behind the chain', async () => {
    const address = signer(9).wallet.address;
    const follower = devnet.sequencer.status().findIndex(({ leader }) => !leader);
    await rpc(devnet.url(follower), 'anvil_setBalance', [address, '0x1']);
    await devnet.mine(1);
    await devnet.reported('starts anew from genesis');
    await sameEverywhere();
    expect(BigInt(await rpc<string>(devnet.url(follower), 'eth_getBalance', [address, 'latest']))).toBeGreaterThan(1n);
  });

  it('takes its blocks with it when it led: they are void, the chain goes on without them', async () => {
    await devnet.mine(1);
    await devnet.settled();
    const leader = devnet.sequencer.status().findIndex((status) => status.leader);
    const address = signer(8).wallet.address;
    await rpc(devnet.url(leader), 'anvil_setBalance', [address, '0x1']);
    const tainted = await devnet.sequencer.blockNow();
    await devnet.reported('is void');
    await expect.poll(() => devnet.sequencer.blockNow().then(({ number }) => number), { timeout: 15_000 }).toBeGreaterThan(0);
    await devnet.mine(2);
    await sameEverywhere();
    expect(devnet.sequencer.hashOf(tainted.number)).not.toBe(tainted.hash);
    expect(BigInt(await rpc<string>(devnet.url(leader), 'eth_getBalance', [address, 'latest']))).toBeGreaterThan(1n);
  });
});
