import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseSnapshot } from '../../../src/snapshot/choose.ts';
import { captureDue } from '../../../src/snapshot/due.ts';
import { planGc } from '../../../src/snapshot/gc.ts';
import { lineageProblem, replayProblem } from '../../../src/snapshot/lineage.ts';
import { planRetention } from '../../../src/snapshot/retain.ts';
import { candidate, word } from '../../help/snapshot.ts';

const HOUR = 3_600_000;
const need = { chainId: 31_337, genesisHash: word('1'), clientKind: 'anvil', policy: { levels: ['L0', 'L3'] as const }, tainted: new Set<string>(), maxAgeMs: 0 };

describe('choice', () => {
  const head = (number: number, sequence = number) => ({ sequence, head: { number, hash: word('a'), stateRoot: word('b'), timestampS: 1 } });
  const proven = candidate(head(10), ['L0', 'L3']);
  const newer = candidate(head(20), ['L0']);
  const choose = (change: object, list = [proven, newer]) => chooseSnapshot(list, { ...need, ...change }, 1_700_000_100_000);

  test('the newest that is proven, with a reason for each other', () => {
    const older = candidate(head(5), ['L0', 'L3']);
    expect(choose({}, [older, proven, newer])).toEqual({
      chosen: proven,
      leftOut: [{ id: newer.id, why: 'L3 was not verified' }, { id: older.id, why: `${proven.id.slice(0, 12)} is newer` }],
    });
  });

  test.each([
    [{ chainId: 1 }, 'it is of chain 31337, not 1'],
    [{ genesisHash: word('2') }, `its genesis is ${word('1')}`],
    [{ clientKind: 'geth' }, 'it is of a anvil, not a geth'],
    [{ tainted: new Set([proven.id]) }, 'it is tainted'],
    [{ maxAgeMs: 1000 }, 'it is older than 1000 ms'],
  ])('%j', (change, why) => expect(choose(change, [proven])).toEqual({ chosen: null, leftOut: [{ id: proven.id, why }] }));

  test('not provable is not proven', () => {
    const made = candidate({}, ['L0', 'L3']);
    const levels = made.manifest.verification!.levels.map((record) => ({ ...record, verdict: 'notProvable' as const, why: 'no anchor' }));
    expect(choose({}, [{ ...made, manifest: { ...made.manifest, verification: { atMs: 1, levels } } }]).leftOut[0]?.why).toBe('L0 is notProvable: no anchor');
  });
});

describe('retention', () => {
  const rules = fc.record({ last: fc.nat(4), hourly: fc.nat(4), daily: fc.nat(4), weekly: fc.nat(3), monthly: fc.nat(3) });
  const list = fc.array(fc.record({ createdAtMs: fc.integer({ min: 0, max: 400 * 24 * HOUR }), isProven: fc.boolean(), isPinned: fc.boolean() }), { minLength: 1, maxLength: 40 })
    .map((all) => all.map(({ isPinned, ...rest }, i) => ({ ...rest, id: `s${i}`, sequence: i + 1, pinnedBy: isPinned ? 'restore' : null })));

  test('never drops the newest, the last proven or what is pinned, and does nothing twice', () =>
    fc.assert(fc.property(list, rules, (all, rule) => {
      const { keep, drop } = planRetention(all, rule);
      expect([...keep.keys(), ...drop].sort()).toEqual(all.map(({ id }) => id).sort());
      expect(keep.has(all.at(-1)!.id)).toBe(true);
      const proven = all.findLast(({ isProven }) => isProven);
      if (proven !== undefined) expect(keep.has(proven.id)).toBe(true);
      for (const { id, pinnedBy } of all) if (pinnedBy !== null) expect(keep.has(id)).toBe(true);
      expect(planRetention(all.filter(({ id }) => keep.has(id)), rule).drop).toEqual([]);
    })));

  test('grandfather, father, son', () => {
    const all = Array.from({ length: 24 * 70 }, (_, i) => ({ id: String(i), sequence: i + 1, createdAtMs: Date.UTC(2026, 0, 1) + i * HOUR, isProven: false, pinnedBy: null }));
    const { keep } = planRetention(all, { last: 0, hourly: 3, daily: 3, weekly: 2, monthly: 3 });
    const times = (why: string) => [...keep].filter(([, reasons]) => reasons.includes(why)).map(([id]) => new Date(all[Number(id)]!.createdAtMs).toISOString().slice(0, 13));
    expect(times('hourly')).toEqual(['2026-03-11T23', '2026-03-11T22', '2026-03-11T21']);
    expect(times('daily')).toEqual(['2026-03-11T23', '2026-03-10T23', '2026-03-09T23']);
    expect(times('weekly')).toEqual(['2026-03-11T23', '2026-03-08T23']);
    expect(times('monthly')).toEqual(['2026-03-11T23', '2026-02-28T23', '2026-01-31T23']);
  });
});

describe('collection', () => {
  const rules = { graceMs: 100, trashMs: 1000 };
  const facts = { objects: [{ name: 'a', touchedAtMs: 1 }, { name: 'b', touchedAtMs: 1 }], marked: new Map<string, number>(), trash: [], needed: new Set(['b']), captureSinceMs: null };

  test('marks, waits, moves, waits, removes', () => {
    expect(planGc(facts, rules, 10)).toEqual({ mark: ['a'], unmark: [], trash: [], recover: [], remove: [] });
    const marked = { ...facts, marked: new Map([['a', 10]]) };
    expect(planGc(marked, rules, 109)).toEqual({ mark: [], unmark: [], trash: [], recover: [], remove: [] });
    expect(planGc(marked, rules, 110)).toMatchObject({ trash: ['a'], unmark: ['a'] });
    const trashed = { ...facts, objects: [], trash: [{ name: 'a', trashedAtMs: 110 }] };
    expect(planGc(trashed, rules, 1109).remove).toEqual([]);
    expect(planGc(trashed, rules, 1110).remove).toEqual(['a']);
    expect(planGc({ ...trashed, needed: new Set(['a']) }, rules, 9999)).toMatchObject({ recover: ['a'], remove: [] });
  });

  test('what a capture used since is left alone, and a mark from the future counts anew', () => {
    const marked = { ...facts, marked: new Map([['a', 10]]) };
    expect(planGc({ ...marked, objects: [{ name: 'a', touchedAtMs: 11 }] }, rules, 500)).toMatchObject({ mark: ['a'], trash: [] });
    expect(planGc({ ...marked, captureSinceMs: 1 }, rules, 500)).toMatchObject({ mark: [], trash: [], unmark: ['a'] });
    expect(planGc(marked, rules, 5)).toMatchObject({ mark: ['a'], trash: [] });
  });

  test('never touches what is needed', () =>
    fc.assert(fc.property(fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), touchedAtMs: fc.nat(300) })), fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(300)), fc.nat(2000), (objects, marks, nowMs) => {
      const needed = new Set(['a', 'c']);
      const trash = [{ name: 'c', trashedAtMs: 0 }];
      const plan = planGc({ ...facts, objects, marked: new Map(Object.entries(marks)), trash, needed }, rules, nowMs);
      const isThere = objects.some(({ name }) => name === 'c');
      expect([...plan.mark, ...plan.trash, ...(isThere ? [] : plan.remove)].filter((name) => needed.has(name))).toEqual([]);
      expect(plan.recover).toEqual(isThere ? [] : ['c']);
    })));
});

describe('lineage', () => {
  const full = candidate({ sequence: 1 });
  const parentOf = (of: typeof full) => ({ id: of.id, sequence: of.manifest.snapshot.sequence, headNumber: 10, headHash: word('a') });
  const second = candidate({ sequence: 2, kind: 'incremental', parent: parentOf(full) });

  test('a parent that is the newest before it', () => {
    expect(lineageProblem(second, [full, second])).toBeNull();
    expect(lineageProblem(candidate({ sequence: 3, kind: 'incremental', parent: parentOf(full) }), [full, second])).toContain('is stale');
    expect(lineageProblem(candidate({ sequence: 2, kind: 'incremental', parent: { ...parentOf(full), id: 'f'.repeat(64) } }), [full])).toContain('parent.id');
    expect(lineageProblem(candidate({ sequence: 2, kind: 'incremental', parent: { ...parentOf(full), headHash: word('c') } }), [full])).toContain('parent.headHash');
    expect(lineageProblem(candidate({ sequence: 2, source: 'other' }), [full, second])).toContain('sequence 2 is also that of');
  });

  test('a store that is older than what was seen', () => {
    expect(replayProblem(full, null)).toBeNull();
    expect(replayProblem(full, { sequence: 2, id: second.id })).toContain('replayed');
    expect(replayProblem(null, { sequence: 2, id: second.id })).toContain('replayed');
    expect(replayProblem(second, { sequence: 2, id: full.id })).toContain('was seen under that number');
  });
});

test('what is due', () => {
  const schedule = { everyMs: HOUR, fullEveryMs: 24 * HOUR };
  const past = [{ kind: 'full' as const, createdAtMs: 0, sequence: 1 }, { kind: 'incremental' as const, createdAtMs: 2 * HOUR, sequence: 2 }];
  expect(captureDue([], schedule, 5)).toBe('full');
  expect(captureDue(past, schedule, 2.5 * HOUR)).toBeNull();
  expect(captureDue(past, schedule, 3 * HOUR)).toBe('incremental');
  expect(captureDue(past, schedule, 24 * HOUR)).toBe('full');
  expect(captureDue(past, schedule, HOUR)).toBe('incremental');
});
