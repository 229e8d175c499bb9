import type { MethodRow } from './evm/rows.ts';
import type { Access, MethodSpec } from './method.ts';
import { readsState } from './stateRead.ts';

/** What is assumed of a method that no table knows: it may change something, so it is sent to one node, once. */
const UNKNOWN: MethodRow = {
  name: 'other',
  class: 'read',
  access: 'open',
  block: { kind: 'none' },
  finality: 'never',
  idempotent: false,
  retryable: false,
  hedgeable: false,
  batchable: false,
  weight: 5,
  capability: null,
  nullMeansAbsent: false,
  addressIndex: -1,
};

/** Field by field, so that all specs have one hidden class. */
function specOf(row: MethodRow, index: number): MethodSpec {
  return Object.freeze({
    name: row.name,
    index,
    class: row.class,
    access: row.access,
    block: row.block,
    finality: row.finality,
    idempotent: row.idempotent,
    retryable: row.retryable,
    hedgeable: row.hedgeable,
    batchable: row.batchable,
    weight: row.weight,
    capability: row.capability,
    readsState: readsState(row.name),
    nullMeansAbsent: row.nullMeansAbsent,
    addressIndex: row.addressIndex,
  });
}

/** Access of methods that no row lists. All keys and prefixes are lower case. */
export interface FamilyRules {
  /** By namespace, the text before the first `_`. */
  readonly namespaces: ReadonlyMap<string, Access>;
  /** By the start of the name; asked where the namespace has no rule. */
  readonly prefixes: readonly (readonly [prefix: string, access: Access])[];
}

/** The text before the first `_`, or '' where there is none. */
export function namespaceOf(name: string): string {
  const end = name.indexOf('_');
  return end <= 0 ? '' : name.slice(0, end);
}

/** The methods of one chain family. Immutable; names are case-sensitive, as nodes take them. */
export class Catalog {
  /** Stands for every method that is not listed; its name, `other`, is the label in metrics, never what is sent. */
  readonly unknownSpec: MethodSpec;
  readonly #specs: readonly MethodSpec[];
  readonly #byName: ReadonlyMap<string, MethodSpec>;
  readonly #byLowerName: ReadonlyMap<string, MethodSpec>;
  readonly #families: FamilyRules;

  /**
   * @throws Error when a name occurs twice: a fault of the table
   */
  constructor(rows: readonly MethodRow[], families: FamilyRules) {
    const specs = rows.map(specOf);
    this.unknownSpec = specOf(UNKNOWN, specs.length);
    this.#byName = new Map(specs.map((spec) => [spec.name, spec]));
    this.#byLowerName = new Map(specs.map((spec) => [spec.name.toLowerCase(), spec]));
    if (this.#byLowerName.size !== specs.length) throw new Error('a method is in the catalogue twice');
    this.#specs = [...specs, this.unknownSpec];
    this.#families = families;
  }

  /** Number of indices in use, the unknown method's included: the length for arrays by `spec.index`. */
  get size(): number {
    return this.#specs.length;
  }

  /** All specs by index; the last is `unknownSpec`. */
  specs(): readonly MethodSpec[] {
    return this.#specs;
  }

  /** The spec of a listed method. */
  find(name: string): MethodSpec | undefined {
    return this.#byName.get(name);
  }

  /** @throws RangeError for an index outside `size` */
  byIndex(index: number): MethodSpec {
    const spec = this.#specs[index];
    if (spec === undefined) throw new RangeError(`no method has index ${index}`);
    return spec;
  }

  /**
   * Access of a method that `find` does not know. Letter case is ignored here: some nodes do so too, and
   * `Admin_peers` must not pass where `admin_peers` does not. Undefined: no rule, `methods.unknown` decides.
   */
  accessOfUnlisted(name: string): Access | undefined {
    const lower = name.toLowerCase();
    const access = this.#byLowerName.get(lower)?.access ?? this.#families.namespaces.get(namespaceOf(lower));
    return access ?? this.#families.prefixes.find(([prefix]) => lower.startsWith(prefix))?.[1];
  }
}
