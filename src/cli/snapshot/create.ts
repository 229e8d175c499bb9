import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { captureDue } from '../../snapshot/due.ts';
import type { SnapshotBody } from '../../snapshot/manifest.ts';
import { capture, type Captured } from '../../store/capture.ts';
import { StoreFault } from '../../store/fault.ts';
import { loadKey, trustKey } from '../../store/keys.ts';
import { AskFault } from '../../verify/ask.ts';
import { dumpState } from '../../verify/dump.ts';
import { capturePack, factsOf, nodeFacts, type NodeFacts } from '../../verify/pack.ts';
import { EXIT } from '../ports.ts';
import { recordVerification } from '../../vault/judge.ts';
import { exitOf, verifyShown } from './judge.ts';
import { bytesText, levelLines, shortId } from './screen.ts';
import { setUp, type Setup } from './setup.ts';

/** What is captured: folders, and what the node was at. */
interface Material {
  readonly facts: NodeFacts;
  readonly data: string;
  readonly proof: string | null;
}

const isFacts = (value: unknown): value is NodeFacts => {
  const { chainId, genesisHash, clientVersion, head } = (value ?? {}) as Partial<NodeFacts>;
  return typeof chainId === 'number' && typeof genesisHash === 'string' && typeof clientVersion === 'string' && typeof head === 'object' && head !== null;
};

const readFacts = async (path: string): Promise<NodeFacts> => {
  const value: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (isFacts(value)) return value;
  throw new StoreFault('malformed', `${path}: needs chainId, genesisHash, clientVersion and head with number, hash, stateRoot and timestampS`);
};

const gather = async ({ command, settings, rules, world }: Setup, scratch: string): Promise<Material> => {
  const { texts } = command;
  const [url, data] = [texts.get('rpc'), texts.get('data')];
  if (url === undefined) return { facts: await readFacts(texts.get('facts') ?? ''), data: data ?? '', proof: null };
  const proof = join(scratch, 'proof');
  const facts = await capturePack({
    node: { name: texts.get('source') ?? 'the node', url },
    directory: proof,
    blocks: settings.proof.blocks,
    fromBlock: command.fromBlock,
    samples: settings.proof.samples,
    watch: rules.watch,
    onProgress: (blocks) => world.progress?.(`captured ${blocks} blocks`),
  });
  if (data !== undefined) return { facts, data, proof };
  const dump = join(scratch, 'data');
  await dumpState({ name: 'anvil', url }, 'anvil_dumpState', dump);
  const { head } = await nodeFacts({ name: 'anvil', url });
  if (head.hash !== facts.head.hash) throw new AskFault(`anvil went from block ${facts.head.number} to ${head.number} during the capture`);
  return { facts, data: dump, proof };
};

const kindOf = async ({ command, store, chain, settings, world }: Setup): Promise<SnapshotBody['kind'] | null> => {
  const past = (await store.trusted(chain)).map(({ manifest }) => manifest.snapshot);
  const due = captureDue(past, settings, world.nowMs());
  if (command.switches.has('if-due') && due === null) return null;
  return command.kind === 'auto' ? (due ?? 'incremental') : command.kind;
};

const take = async (setup: Setup, kind: SnapshotBody['kind'], { facts, data, proof }: Material): Promise<Captured> => {
  const { command, world, settings, store, chain } = setup;
  const key = await loadKey(settings.keyFile);
  const clientKind = command.texts.get('client') ?? 'other';
  return capture(store, {
    chain,
    clientKind,
    directory: data,
    prove: () => Promise.resolve({ facts: factsOf(facts, { chain, clientKind, source: command.texts.get('source') ?? 'cli' }), proofDirectory: proof }),
    kind,
    gzip: settings.gzip,
    key,
    onProgress: ({ files, bytes }) => world.progress?.(`captured ${files} files, ${bytesText(bytes)}`),
  });
};

/** The key is made and trusted at the first run. */
const readyKey = async (first: Setup): Promise<Setup> => {
  const key = await loadKey(first.settings.keyFile);
  const isAdded = await trustKey(first.settings.trustFile, key);
  if (!isAdded) return first;
  const again = await setUp(first.command, first.world);
  return 'setup' in again ? again.setup : first;
};

/** `tidegate snapshot create`: captures, verifies, records. */
export async function createSnapshot(first: Setup): Promise<number> {
  const { command, world } = first;
  const setup = await readyKey(first);
  const kind = await kindOf(setup);
  if (kind === null) {
    world.out(command.switches.has('json') ? '{"created":null}' : 'nothing is due');
    return EXIT.ok;
  }
  const scratch = await mkdtemp(join(tmpdir(), 'tidegate-snapshot-'));
  try {
    const { candidate, counts } = await take(setup, kind, await gather(setup, scratch));
    world.progress?.('');
    const { snapshot } = candidate.manifest;
    await setup.seen.note(setup.chain, { sequence: snapshot.sequence, id: candidate.id });
    const work = { candidate, trust: null, objects: setup.store.objects, isProofOnly: false };
    const isChecked = !command.switches.has('no-verify');
    const recorded = isChecked ? await recordVerification(setup, work, await verifyShown(setup, work)) : candidate;
    if (command.switches.has('json')) world.out(JSON.stringify({ created: candidate.id, sequence: snapshot.sequence, kind: snapshot.kind, ...counts, verification: recorded.manifest.verification }));
    else {
      world.out(`${snapshot.kind} snapshot ${shortId(candidate.id)} of block ${snapshot.head.number}: ${counts.files} files, ${bytesText(counts.bytes)}, of which ${counts.newChunks} chunks with ${bytesText(counts.newStoredBytes)} are new`);
      for (const line of recorded.manifest.verification === null ? ['not verified'] : levelLines(recorded.manifest.verification.levels)) world.out(line);
    }
    return isChecked ? exitOf(setup, recorded) : EXIT.ok;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
