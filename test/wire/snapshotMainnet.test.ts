import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { trustKey } from '../../src/store/keys.ts';
import { exportSnapshot } from '../../src/store/transfer.ts';
import { TestParts, TestWorld } from '../help/cliWorld.ts';
import { type RealBlock, realBlocks } from '../help/mainnet.ts';
import { scratch, Vault, writeFiles } from '../help/vault.ts';

const blocks = new Map(realBlocks().map((real) => [Number(real.block.number), real]));
const GENESIS = blocks.get(0)!.block.hash;
let vault: Vault;
let servers: Server[] = [];

beforeEach(async () => {
  vault = await Vault.open();
});
afterEach(async () => {
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  servers = [];
});

/** Exports a snapshot whose proof is one real block. */
const exported = async ({ block, receipts, uncles }: RealBlock, change: object = {}): Promise<string> => {
  const logs = receipts?.flatMap((receipt) => receipt['logs']);
  const proofDirectory = writeFiles(scratch(), { 'blocks.ndjson': `${JSON.stringify({ block, receipts, uncles, logs, ...change })}\n` });
  const facts = { ...Vault.facts, chain: { name: 'demo', family: 'evm' as const, chainId: 1, genesisHash: GENESIS }, head: { number: Number(block.number), hash: block.hash, stateRoot: String(block['stateRoot']), timestampS: Number(block['timestamp']) } };
  const { candidate } = await vault.capture(writeFiles(scratch(), { data: 'x' }), { facts, proofDirectory });
  const away = join(scratch(), 'away');
  await exportSnapshot(vault.store, candidate, away, true);
  return away;
};

let config = '';
const verify = async (...words: string[]) => {
  const trust = join(scratch(), 'trust.json');
  await trustKey(trust, vault.key);
  const world = new TestWorld();
  world.files.set('gateway.yaml', config);
  const code = await runCli(['snapshot', 'verify', ...words, '--trust', trust, '--key', join(scratch(), 'none'), '--json'], world, new TestParts());
  const { verification } = JSON.parse(world.outLines.join('')) as { verification: { levels: { level: string; verdict: string; why: string }[] } };
  const verdicts = Object.fromEntries(verification.levels.map(({ level, verdict }) => [level, verdict]));
  return { code, verdicts, why: Object.fromEntries(verification.levels.map(({ level, why }) => [level, why])) };
};

const whole = [...blocks].filter(([number, { receipts }]) => receipts !== undefined && number !== 97);

test.each(whole)('block %d of mainnet is proven offline from header to receipts', async (number, real) => {
  const { code, verdicts } = await verify('--offline', await exported(real), '--checkpoint', `${number}:${real.block.hash}`);
  expect([code, verdicts]).toEqual([3, expect.objectContaining({ L0: 'notProvable', L1: 'notProvable', L3: 'proven', L4: 'proven', L5: 'proven', L6: 'notRun' })]);
});

test('what old nodes do not answer is not provable, and what is of another network is unsupported', async () => {
  const old = blocks.get(2_463_413)!;
  const checkpoint = ['--checkpoint', `2463413:${old.block.hash}`];
  const receipts = old.receipts!.map(({ root: _root, ...rest }) => ({ ...rest, status: '0x1' }));
  expect(await verify('--offline', await exported(old, { receipts }), ...checkpoint)).toMatchObject({ code: 3, verdicts: { L4: 'proven', L5: 'notProvable' } });
  const [first, ...rest] = old.block['transactions'] as object[];
  const block = { ...old.block, transactions: [{ ...first, type: '0x7e' }, ...rest] };
  expect(await verify('--offline', await exported(old, { block }), ...checkpoint)).toMatchObject({ code: 3, verdicts: { L3: 'proven', L4: 'unsupported', L5: 'unsupported' } });
  const [oldest, ...others] = old.receipts!;
  expect(await verify('--offline', await exported(old, { receipts: [{ ...oldest, root: GENESIS }, ...others] }), ...checkpoint)).toMatchObject({ code: 1, why: { L5: expect.stringContaining('block 2463413: receiptsRoot: ') } });
});

test('one node that is named twice is one voice, and nobody is asked who is not named', async () => {
  const real = blocks.get(15_537_393)!;
  let asked = 0;
  const ask = async (): Promise<string> => {
    const server = createServer((request, response) => {
      asked++;
      request.resume().on('end', () => response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { hash: real.block.hash } })));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const [one, two, away] = [await ask(), await ask(), await exported(real)];
  expect(await verify('--offline', away, '--peer', `http://${one}`, '--peer', `HTTP://${one}/`, '--quorum', '2')).toMatchObject({ verdicts: { L3: 'notProvable' }, why: { L3: expect.stringContaining('too few independent anchors') } });
  expect(await verify('--offline', away, '--peer', `http://${one}`, '--peer', `http://${two}`, '--quorum', '2')).toMatchObject({ verdicts: { L3: 'proven' } });
  const before = asked;
  config = `chains: [{ name: demo, chainId: 1, upstreams: [{ name: a, http: 'http://${one}' }, { name: b, http: 'http://${two}' }] }]\n`;
  expect(await verify('--offline', away, '--config', 'gateway.yaml')).toMatchObject({ verdicts: { L3: 'notProvable' }, why: { L3: expect.stringContaining('neither a checkpoint nor a genesis nor nodes') } });
  expect(asked).toBe(before);
});
