import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FAULTS, type FaultSpec } from '../../../src/base/fault.ts';

const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
const specs: readonly FaultSpec[] = Object.values(FAULTS);

const line = (spec: FaultSpec): string =>
  `| \`${spec.kind}\` | ${spec.code} | ${spec.status} | ${spec.source} | ${spec.message} | ${spec.cause} |`;
/** Lines of the table of faults: six columns, the first a kind. */
const documented = page.split('\n').filter((text) => /^\| `\w+` \| -?\d+ \|/.test(text));

describe('docs/errors.md', () => {
  it('has each fault, word for word, and no other', () => {
    expect(documented.toSorted()).toEqual(specs.map(line).toSorted());
  });

  it('names each fault by its own kind', () => {
    for (const [key, spec] of Object.entries(FAULTS)) expect(spec.kind).toBe(key);
  });
});
