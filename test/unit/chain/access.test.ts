import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deniedMask, MethodPolicy, type MethodRules, MethodSet } from '../../../src/chain/access.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';

const catalog = evmCatalog();
const DEFAULTS: MethodRules = { allow: [], deny: [], unknown: 'forward', dev: false };
const policy = (rules: Partial<MethodRules> = {}) => new MethodPolicy(catalog, { ...DEFAULTS, ...rules });

/** The spec's name, or the kind of the fault. */
const verdict = (rules: Partial<MethodRules>, name: string): string => {
  const decision = policy(rules).decide(name);
  return decision.fault === null ? decision.spec.name : decision.fault.spec.kind;
};

describe('MethodPolicy', () => {
  it.each<[string, Partial<MethodRules>, string, string]>([
    ['a read', {}, 'eth_call', 'eth_call'],
    ['a guarded method', {}, 'admin_peers', 'methodRefused'],
    ['a key', {}, 'eth_sendTransaction', 'methodRefused'],
    ['an unlisted guarded one', {}, 'admin_new', 'methodRefused'],
    ['another spelling of a guarded one', {}, 'Admin_Peers', 'methodRefused'],
    ['an unlisted debug method', {}, 'debug_setSomething', 'methodRefused'],
    ['a dev method', {}, 'evm_mine', 'methodRefused'],
    ['a dev method in a dev chain', { dev: true }, 'evm_mine', 'evm_mine'],
    ['an unlisted dev method in a dev chain', { dev: true }, 'anvil_new', 'other'],
    ['a dev method allowed by name', { allow: ['evm_mine'] }, 'evm_mine', 'evm_mine'],
    ['guarded stays guarded in a dev chain', { dev: true }, 'eth_sendTransaction', 'methodRefused'],
    ['guarded, allowed by name', { allow: ['admin_peers'] }, 'admin_peers', 'admin_peers'],
    ['guarded, its neighbour allowed', { allow: ['admin_peers'] }, 'admin_addPeer', 'methodRefused'],
    ['guarded, allowed by prefix', { allow: ['admin_*'] }, 'admin_addPeer', 'admin_addPeer'],
    ['unlisted guarded, allowed by prefix', { allow: ['admin_*'] }, 'admin_new', 'other'],
    ['denied read', { deny: ['eth_getLogs'] }, 'eth_getLogs', 'methodRefused'],
    ['denied family', { deny: ['trace_*'] }, 'trace_filter', 'methodRefused'],
    ['deny wins over allow', { allow: ['admin_*'], deny: ['admin_addPeer'] }, 'admin_addPeer', 'methodRefused'],
    ['denied in another spelling', { deny: ['eth_getLogs'] }, 'ETH_GETLOGS', 'methodRefused'],
    ['denied unlisted', { deny: ['custom_*'] }, 'custom_thing', 'methodRefused'],
    ['unknown, forwarded', {}, 'custom_thing', 'other'],
    ['unknown, refused', { unknown: 'refuse' }, 'custom_thing', 'methodNotFound'],
    ['unknown, refused but allowed by name', { unknown: 'refuse', allow: ['custom_thing'] }, 'custom_thing', 'other'],
    ['a property of every object', { unknown: 'refuse' }, '__proto__', 'methodNotFound'],
    ['a name with a space', {}, ' admin_peers', 'methodNotFound'],
    ['a name with a line feed', {}, 'admin_peers\n', 'methodNotFound'],
    ['a name with a lookalike letter', {}, '\u0430dmin_peers', 'methodNotFound'],
    ['an empty name', {}, '', 'methodNotFound'],
  ])('%s: %j %j -> %s', (_what, rules, name, expected) => {
    expect(verdict(rules, name)).toBe(expected);
  });

  it('sends an unknown method once, to one node', () => {
    const decision = policy().decide('custom_thing');
    expect(decision.spec).toMatchObject({ idempotent: false, retryable: false, hedgeable: false, batchable: false });
  });

  it('has one answer for each call of a method, listed or not', () => {
    const one = policy();
    expect(one.decide('eth_call')).toBe(one.decide('eth_call'));
    expect(one.decide('custom_a')).toBe(one.decide('custom_b'));
  });

  it('refuses every spelling of every guarded method', () => {
    const one = policy();
    const guarded = catalog.specs().filter((spec) => spec.access === 'guarded').map((spec) => spec.name);
    fc.assert(fc.property(fc.constantFrom(...guarded), fc.array(fc.boolean(), { minLength: 48, maxLength: 48 }), (name, upper) => {
      const spelt = [...name].map((letter, index) => (upper[index] === true ? letter.toUpperCase() : letter)).join('');
      expect(one.decide(spelt).fault?.spec.kind).toBe('methodRefused');
    }));
  });

  it('decides any name without throwing', () => {
    const one = policy({ unknown: 'refuse' });
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => {
      const decision = one.decide(name);
      expect(decision.fault === null).toBe(catalog.find(name)?.access === 'open');
    }));
  });
});

describe('MethodSet', () => {
  it('takes names and prefixes', () => {
    const set = new MethodSet(['eth_call', 'debug_trace*']);
    expect(['eth_call', 'debug_traceCall', 'debug_trace', 'eth_calls', 'debug_getBadBlocks'].map((name) => set.has(name)))
      .toEqual([true, true, true, false, false]);
    expect([new MethodSet([]).empty, set.empty]).toEqual([true, false]);
  });
});

describe('deniedMask', () => {
  const open = (mask: Uint8Array | null) =>
    catalog.specs().filter((spec) => mask?.[spec.index] === 0).map((spec) => spec.name);

  it('is null when nothing is said', () => {
    expect(deniedMask(catalog, [], [])).toBeNull();
  });

  it('keeps only what an allow list names, less what is denied', () => {
    expect(open(deniedMask(catalog, ['eth_getB*', 'eth_call'], ['eth_getBlock*']))).toEqual(['eth_getBalance', 'eth_call']);
  });

  it('takes away what is denied and leaves unlisted methods', () => {
    const mask = deniedMask(catalog, [], ['trace_*']);
    expect(open(mask)).not.toContain('trace_filter');
    expect(open(mask)).toContain('other');
    expect(open(deniedMask(catalog, [], ['*']))).toEqual([]);
  });
});
