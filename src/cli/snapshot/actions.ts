import type { Candidate } from '../../snapshot/choose.ts';
import { unproven } from '../../snapshot/policy.ts';
import { collect } from '../../store/collect.ts';
import { StoreFault } from '../../store/fault.ts';
import { loadKey, trustKey } from '../../store/keys.ts';
import { markOrigin, originFrom } from '../../store/origin.ts';
import { materialize } from '../../store/materialize.ts';
import type { Listed } from '../../store/manifests.ts';
import { dropSnapshots, retentionOf } from '../../store/prune.ts';
import { exportSnapshot, importSnapshot, openExported } from '../../store/transfer.ts';
import { plainText } from '../ask.ts';
import { EXIT } from '../ports.ts';
import { tableLines } from '../table.ts';
import { recordVerification, type ToVerify, trustProblem } from '../../vault/judge.ts';
import { exitOf, verifyShown } from './judge.ts';
import { bytesText, levelLines, provenText, shortId, showProgress, sizeOf, snapshotLines } from './screen.ts';
import type { Setup } from './setup.ts';

const MIN_ID_DIGITS = 4;
const isJson = ({ command }: Setup): boolean => command.switches.has('json');

/** The snapshot that an id, or the start of one, means; without one the newest. @throws StoreFault */
const find = async ({ store, chain, command }: Setup): Promise<{ readonly one: Listed; readonly all: readonly Listed[] }> => {
  const all = await store.manifests.list();
  const start = command.words[0];
  const hits = start === undefined ? all.filter((one) => one.chain === chain && one.candidate !== null).slice(-1) : all.filter(({ path, candidate }) => candidate?.id.startsWith(start) === true || path.includes(`-${start}`));
  const [one] = hits;
  if (start !== undefined && start.length < MIN_ID_DIGITS) throw new StoreFault('unknown', `give at least ${MIN_ID_DIGITS} digits of the id`);
  if (one === undefined) throw new StoreFault('unknown', start === undefined ? `there is no snapshot of ${chain}` : `there is no snapshot ${start}`);
  if (hits.length > 1) throw new StoreFault('unknown', `${hits.length} snapshots begin with ${start}`);
  return { one, all };
};

const known = ({ candidate, path, problem }: Listed): Candidate => {
  if (candidate !== null) return candidate;
  throw new StoreFault('unreadable', `${path}: ${problem}`);
};

/** `tidegate snapshot list` */
export async function listSnapshots(setup: Setup): Promise<number> {
  const all = await setup.store.manifests.list();
  const pins = await setup.store.pins.list();
  const rows = all.map(({ chain, candidate, problem }) => {
    if (candidate === null) return { chain, id: null, problem };
    const { snapshot, verification } = candidate.manifest;
    return { chain, id: candidate.id, sequence: snapshot.sequence, kind: snapshot.kind, client: snapshot.client.kind, head: snapshot.head.number, bytes: sizeOf(snapshot), createdAtMs: snapshot.createdAtMs, proven: provenText(verification), pinned: pins.some(({ id }) => id === candidate.id), problem };
  });
  if (isJson(setup)) setup.world.out(JSON.stringify(rows));
  else {
    const titles = ['CHAIN', 'NUMBER', 'ID', 'KIND', 'CLIENT', 'HEAD', 'SIZE', 'TAKEN', 'PROVEN', 'PROBLEM'];
    const cells = rows.map((row) => row.id === null ? [row.chain, '-', '-', '-', '-', '-', '-', '-', '-', row.problem ?? ''] : [row.chain, String(row.sequence), shortId(row.id), row.kind ?? '', row.client ?? '', String(row.head), bytesText(row.bytes ?? 0), new Date(row.createdAtMs ?? 0).toISOString().slice(0, 19), `${row.proven}${row.pinned === true ? ' (pinned)' : ''}`, row.problem ?? '']);
    for (const line of tableLines(titles, cells)) setup.world.out(line);
  }
  return rows.every(({ problem }) => problem === null) ? EXIT.ok : EXIT.failed;
}

/** `tidegate snapshot show ID` */
export async function showSnapshot(setup: Setup): Promise<number> {
  const { one, all } = await find(setup);
  const candidate = known(one);
  const problem = await trustProblem(one, all, setup);
  if (isJson(setup)) setup.world.out(JSON.stringify({ id: candidate.id, problem, ...candidate.manifest }));
  else for (const line of snapshotLines(candidate, problem)) setup.world.out(line);
  return problem === null ? EXIT.ok : EXIT.failed;
}

const tell = (setup: Setup, candidate: Candidate): number => {
  const { id, manifest } = candidate;
  if (isJson(setup)) setup.world.out(JSON.stringify({ id, verification: manifest.verification }));
  else for (const line of [`snapshot ${shortId(id)} of block ${manifest.snapshot.head.number}`, ...levelLines(manifest.verification?.levels ?? [])]) setup.world.out(line);
  return exitOf(setup, candidate);
};

/** `tidegate snapshot verify [ID]` and `verify --offline DIR` */
export async function verifyStored(setup: Setup): Promise<number> {
  const offline = setup.command.texts.get('offline');
  if (offline !== undefined) {
    const { candidate, problem, objects, isProofOnly } = await openExported(offline, setup.keys);
    if (candidate === null) throw new StoreFault('unreadable', `${offline}: ${problem}`);
    const verification = await verifyShown(setup, { candidate, trust: problem, objects, isProofOnly });
    return tell(setup, { id: candidate.id, manifest: { ...candidate.manifest, verification } });
  }
  const { one, all } = await find(setup);
  const work: ToVerify = { candidate: known(one), trust: await trustProblem(one, all, setup), objects: setup.store.objects, isProofOnly: false };
  const recorded = await recordVerification(setup, work, await verifyShown(setup, work));
  if (recorded.notRecorded !== null) setup.world.err(`tidegate: not recorded: ${plainText(recorded.notRecorded)}`);
  return tell(setup, recorded);
}

/** `tidegate snapshot restore ID DIR`: writes the data of a proven snapshot to a new directory. */
export async function restoreTo(setup: Setup): Promise<number> {
  const { one, all } = await find(setup);
  const candidate = known(one);
  const problem = await trustProblem(one, all, setup);
  if (problem !== null) throw new StoreFault('refused', problem);
  const why = unproven(candidate.manifest, setup.rules);
  if (why !== null) {
    setup.world.err(`tidegate: snapshot ${shortId(candidate.id)} is not proven as far as the configuration asks: ${plainText(why)}`);
    return exitOf(setup, candidate);
  }
  const { snapshot } = candidate.manifest;
  const [, directory = ''] = setup.command.words;
  const totalBytes = sizeOf(snapshot);
  const onProgress = (bytes: number): void => showProgress(setup.world, totalBytes === 0 ? 1 : bytes / totalBytes, `written ${bytesText(bytes)}`);
  // a node that runs on it vouches no more for the snapshot's source than one that the controller restored
  const roots = setup.origins.get(snapshot.source);
  const finish = (beside: string): Promise<void> => markOrigin(beside, originFrom(candidate, roots === undefined ? [] : roots));
  await materialize(setup.store.objects, snapshot, directory, { isReadOnly: setup.command.switches.has('read-only'), onProgress, finish });
  setup.world.progress?.('');
  setup.world.out(isJson(setup) ? JSON.stringify({ id: candidate.id, directory, bytes: totalBytes }) : `snapshot ${shortId(candidate.id)} is in ${directory}: ${snapshot.files.length} files, ${bytesText(totalBytes)}`);
  return EXIT.ok;
}

/** `tidegate snapshot prune`: drops what retention lets go, then one round of collection. */
export async function pruneSnapshots(setup: Setup): Promise<number> {
  const { store, chain, rules, settings, world, command } = setup;
  const snapshots = await store.trusted(chain);
  const { keep, drop } = await retentionOf(store, snapshots, rules, settings.keep);
  const isDry = command.switches.has('dry-run');
  if (!isDry) await dropSnapshots(store, snapshots, drop);
  const collected = isDry ? null : await collect(store, settings);
  if (isJson(setup)) world.out(JSON.stringify({ keep: Object.fromEntries(keep), drop, collected }));
  else {
    for (const [id, why] of keep) world.out(`keep ${shortId(id)}  ${plainText(why.join(', '))}`);
    for (const id of drop) world.out(`drop ${shortId(id)}`);
    if (collected !== null) world.out(`objects: ${collected.marked} marked, ${collected.trashed} to the trash, ${collected.recovered} back, ${collected.removed} removed`);
  }
  return EXIT.ok;
}

/** `tidegate snapshot export ID DIR` */
export async function exportTo(setup: Setup): Promise<number> {
  const { one, all } = await find(setup);
  const problem = await trustProblem(one, all, setup);
  if (problem !== null) throw new StoreFault('refused', problem);
  const directory = setup.command.words[1] ?? '';
  await exportSnapshot(setup.store, known(one), directory, setup.command.switches.has('proof-only'));
  setup.world.out(isJson(setup) ? JSON.stringify({ id: known(one).id, directory }) : `snapshot ${shortId(known(one).id)} is in ${directory}`);
  return EXIT.ok;
}

/** `tidegate snapshot import DIR` */
export async function importFrom(setup: Setup): Promise<number> {
  const exported = await openExported(setup.command.words[0] ?? '', setup.keys);
  const known = exported.candidate?.id;
  const isThere = (await setup.store.manifests.list()).some(({ candidate }) => known !== undefined && candidate?.id === known);
  if (isThere) throw new StoreFault('EEXIST', `snapshot ${shortId(known ?? '')} is in the store already`);
  const { id } = await importSnapshot(setup.store, exported);
  setup.world.out(isJson(setup) ? JSON.stringify({ id }) : `snapshot ${shortId(id)} is in the store`);
  return EXIT.ok;
}

/** `tidegate snapshot keygen` */
export async function makeKey(setup: Setup): Promise<number> {
  const { keyFile, trustFile } = setup.settings;
  const { keyId, publicKey, isNew } = await loadKey(keyFile);
  const isAdded = await trustKey(trustFile, { keyId, publicKey });
  if (isJson(setup)) setup.world.out(JSON.stringify({ keyId, publicKey, isNew, isAdded }));
  else {
    setup.world.out(`${keyFile}: ${isNew ? 'made' : 'was there'}`);
    setup.world.out(`key id      ${keyId}`);
    setup.world.out(`public key  ${publicKey}`);
    setup.world.out(`${trustFile}: ${isAdded ? 'the key was added' : 'the key was in it'}`);
  }
  return EXIT.ok;
}
