import type { NodeFacts } from '../../src/heal/facts.ts';

/** When the tests of plans look. */
export const NOW = 10_000_000;

/** A node that has been well for ten minutes. */
export const wellNode = (name: string, change: Partial<NodeFacts> = {}): NodeFacts => ({
  name,
  wish: 'running',
  paused: false,
  process: { state: 'running', incarnation: '1', startedAtMs: NOW - 600_000, endedAtMs: -1, exitCode: null, signal: null, oomKilled: false },
  log: null,
  rpc: { askedAtMs: NOW, answeredAtMs: NOW, headNumber: 100, headHash: '', headMovedAtMs: NOW, syncing: false, peers: 3, forkedAt: -1 },
  edge: { state: 'serving', cordoned: false, inFlight: 0, configuredWeight: 100, assignedWeight: 100, why: '' },
  disk: { freeBytes: 1e12, totalBytes: 2e12 },
  data: { damage: null, staged: null, swapped: null, kept: null },
  canResync: false,
  ...change,
});
