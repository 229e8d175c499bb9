import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULTS } from '../../src/config/defaults.ts';
import type { LevelRecord } from '../../src/snapshot/manifest.ts';
import { markOrigin } from '../../src/store/origin.ts';
import { runVerification } from '../../src/vault/judge.ts';
import { openVault } from '../../src/vault/open.ts';
import { originsOf, peersOf } from '../../src/vault/peers.ts';
import { type ProvenNode, provenNode } from '../help/provenNode.ts';
import { levelOf, scratch, Vault, writeFiles } from '../help/vault.ts';

let vault: Vault;
let node: ProvenNode;
let server: Server;
let asked: string[] = [];

beforeAll(async () => {
  [node, vault] = await Promise.all([provenNode(), Vault.open()]);
  // all nodes have the block: a copy agrees with what it was copied from
  server = createServer((request, response) => {
    asked.push(String(request.url).slice(1));
    response.setHeader('content-type', 'application/json');
    request.resume().on('end', () => response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { hash: node.facts.head.hash } })));
  }).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
});
afterAll(() => void server?.close());

/** L3 of a snapshot of `n1`, each node with data from the nodes named: null = it gathered its own. */
async function headersWith(from: Readonly<Record<string, readonly string[] | null>>, genesisHash = ''): Promise<LevelRecord> {
  asked = [];
  const root = scratch();
  const nodes = Object.keys(from).map((name) => ({ name, dataDir: writeFiles(join(root, name), { data: name }) }));
  for (const { name, dataDir } of nodes) if (from[name] != null) await markOrigin(dataDir, { snapshotId: 'f'.repeat(64), from: from[name] });
  const { facts } = node;
  const { candidate } = await vault.capture(node.data, {
    proofDirectory: writeFiles(scratch(), node.pack),
    facts: { ...Vault.facts, source: 'n1', chain: { ...Vault.facts.chain, genesisHash: facts.genesisHash }, client: { kind: 'anvil', version: facts.clientVersion }, head: facts.head },
  });
  const settings = { ...DEFAULTS.snapshots, directory: join(root, 'store'), keyFile: join(root, 'keys', 'key'), trustFile: join(root, 'keys', 'trust.json'), threads: 1 };
  const rules = { ...DEFAULTS.chain.snapshots, levels: [...DEFAULTS.chain.snapshots.levels], genesisHash, quorum: 2 };
  const upstreams = nodes.map(({ name }) => ({ name, http: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}` }));
  const opened = await openVault({ settings, chain: { name: 'demo', snapshots: rules }, peers: peersOf({ upstreams: upstreams as never }, nodes), origins: await originsOf(nodes), nowMs: () => Date.now() });
  const verification = await runVerification(opened, { candidate, trust: null, objects: vault.store.objects, isProofOnly: false }, { anchors: { checkpoints: [], quorum: null }, trialBoot: null, onProgress: () => {} });
  return levelOf(verification, 'L3');
}

test('nodes with data of their own vouch for the headers', async () => {
  expect(await headersWith({ n1: null, n2: null, n3: null })).toMatchObject({ verdict: 'proven', why: expect.stringContaining('2 of 2 nodes') });
  expect(asked.sort()).toEqual(['n2', 'n3']);
});

test('a node restored from a snapshot of the source does not, nor one of which the source is a copy, or whose data came by it', async () => {
  for (const from of [{ n1: null, n2: ['n1'], n3: null }, { n1: ['n2'], n2: null, n3: null }, { n1: null, n2: ['n4', 'n1'], n3: null }, { n1: ['n4'], n2: ['n4'], n3: null }]) {
    expect(await headersWith(from)).toMatchObject({ verdict: 'notProvable', why: expect.stringMatching(/too few independent anchors: only 1 of 1 nodes .* 2 are needed; n2 does not count/) });
    expect(asked).toEqual(['n3']);
  }
});

test('one restored from another source counts, and a genesis needs no nodes', async () => {
  expect(await headersWith({ n1: null, n2: ['n5'], n3: null })).toMatchObject({ verdict: 'proven' });
  expect(await headersWith({ n1: null, n2: ['n1'], n3: ['n1'] }, node.facts.genesisHash)).toMatchObject({ verdict: 'proven', why: expect.stringContaining('genesis') });
  expect(asked).toEqual([]);
});
