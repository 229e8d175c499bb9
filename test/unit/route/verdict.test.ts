import { describe, expect, it } from 'vitest';
import type { OutcomeClass } from '../../../src/chain/outcome.ts';
import { verdictOf } from '../../../src/route/verdict.ts';
import type { Ended } from '../../../src/route/verdict.ts';
import { outcomeOf } from '../../help/route.ts';

/** `x!` = with a reply, `x~` = unsent. */
function verdict(attempts: string, mayRunTwice = true): number | string {
  const list = attempts
    .split(' ')
    .filter(Boolean)
    .map((text): Ended => {
      const name = text.replace(/[!~]/, '') as OutcomeClass;
      return { outcome: outcomeOf(name, { unsent: text.endsWith('~') }), reply: text.endsWith('!') ? text : null };
    });
  return verdictOf((position) => list[position], mayRunTwice);
}

describe('verdictOf', () => {
  it.each([
    ['', 'noUpstream'],
    ['transport transport', 'noUpstream'],
    ['timeout transport', 'deadline'],
    ['http timeout transport', 'deadline'],
    ['timeout badJson', 'badAnswer'],
    ['wrongId', 'badAnswer'],
    ['throttled! timeout', 'noUpstream'],
    ['auth! auth!', 'noUpstream'],
    ['tooLarge timeout', 'responseTooLarge'],
    ['unsupported! unsupported!', 'methodUnsupported'],
    ['unsupported! transport', 'noUpstream'],
    ['cancelled', 'noUpstream'],
  ])('answers a fault where nothing can be shown: %s -> %s', (attempts, fault) => {
    expect(verdict(attempts)).toBe(fault);
  });

  it.each([
    ['timeout missingData!', 1],
    ['node! missingData! missingData!', 1],
    ['node! tooLarge! missingData!', 1],
    ['tooLarge missingData! tooLarge!', 2],
    ['unsupported! node!', 1],
    ['node node!', 1],
  ])('shows the node that says most: %s -> %i', (attempts, position) => {
    expect(verdict(attempts)).toBe(position);
  });

  it.each([
    ['transport', 'sentUnknown'],
    ['transport~ timeout', 'sentUnknown'],
    ['transport~ transport~', 'noUpstream'],
    ['throttled', 'noUpstream'],
    ['node', 'sentUnknown'],
    ['transport~ node!', 1],
  ])('does not hide that a call may have run: %s -> %s', (attempts, what) => {
    expect(verdict(attempts, false)).toBe(what);
  });

  it('does not depend on the order of attempts of different classes', () => {
    const classes = ['node!', 'timeout', 'transport', 'unsupported!'];
    for (const first of classes) {
      const rest = classes.filter((one) => one !== first);
      expect(verdict([first, ...rest].join(' '))).toBe([first, ...rest].indexOf('node!'));
    }
  });
});
