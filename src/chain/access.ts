import { Fault } from '../base/fault.ts';
import type { Catalog } from './catalog.ts';
import type { MethodSpec } from './method.ts';

/** `methods` of a chain's config. */
export interface MethodRules {
  /** Guarded, dev or unknown methods to let through, by name or `prefix_*`. */
  readonly allow: readonly string[];
  /** Methods to refuse, by name or `prefix_*`. Deny wins over allow. */
  readonly deny: readonly string[];
  readonly unknown: 'forward' | 'refuse';
  /** Lets the dev families through. */
  readonly dev: boolean;
}

/** Exactly one of the two is set. */
export type MethodDecision =
  | { readonly spec: MethodSpec; readonly fault: null }
  | { readonly spec: null; readonly fault: Fault };

/** A set of method names and `prefix*` patterns; letter case is ignored so that no spelling slips past a deny. */
export class MethodSet {
  readonly #names: ReadonlySet<string>;
  readonly #prefixes: readonly string[];

  constructor(patterns: readonly string[]) {
    const lower = patterns.map((pattern) => pattern.toLowerCase());
    this.#names = new Set(lower.filter((pattern) => !pattern.endsWith('*')));
    this.#prefixes = lower.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  }

  get empty(): boolean {
    return this.#names.size === 0 && this.#prefixes.length === 0;
  }

  has(name: string): boolean {
    const lower = name.toLowerCase();
    return this.#names.has(lower) || this.#prefixes.some((prefix) => lower.startsWith(prefix));
  }
}

/** What an unlisted name may be made of; anything else is no method of any node. */
const PLAIN_NAME = /^[A-Za-z0-9_.:/-]{1,256}$/;

const pass = (spec: MethodSpec): MethodDecision => ({ spec, fault: null });
const refuse = (kind: 'methodRefused' | 'methodNotFound'): MethodDecision => ({ spec: null, fault: new Fault(kind) });

/**
 * Which methods a chain's clients may call. Listed methods are decided once, at construction; an unlisted one costs
 * a few look-ups and leaves nothing behind, so made-up names cannot fill memory.
 */
export class MethodPolicy {
  readonly #decided: ReadonlyMap<string, MethodDecision>;
  readonly #catalog: Catalog;
  readonly #allow: MethodSet;
  readonly #deny: MethodSet;
  readonly #forwardUnknown: boolean;
  readonly #dev: boolean;
  readonly #unknown: MethodDecision;
  readonly #refused = refuse('methodRefused');
  readonly #notFound = refuse('methodNotFound');

  constructor(catalog: Catalog, rules: MethodRules) {
    this.#catalog = catalog;
    this.#allow = new MethodSet(rules.allow);
    this.#deny = new MethodSet(rules.deny);
    this.#forwardUnknown = rules.unknown === 'forward';
    this.#dev = rules.dev;
    this.#unknown = pass(catalog.unknownSpec);
    const decided = new Map<string, MethodDecision>();
    for (const spec of catalog.specs()) {
      if (spec !== catalog.unknownSpec) decided.set(spec.name, this.#decideListed(spec));
    }
    this.#decided = decided;
  }

  /** The same decision object for each call of a method: keep no per-call state in it. */
  decide(name: string): MethodDecision {
    return this.#decided.get(name) ?? this.#decideUnlisted(name);
  }

  #opens(access: MethodSpec['access'], name: string): boolean {
    if (access === 'open' || (access === 'dev' && this.#dev)) return true;
    return this.#allow.has(name);
  }

  #decideListed(spec: MethodSpec): MethodDecision {
    if (this.#deny.has(spec.name) || !this.#opens(spec.access, spec.name)) return this.#refused;
    return pass(spec);
  }

  #decideUnlisted(name: string): MethodDecision {
    if (!PLAIN_NAME.test(name)) return this.#notFound;
    if (this.#deny.has(name)) return this.#refused;
    const access = this.#catalog.accessOfUnlisted(name);
    if (access !== undefined && !this.#opens(access, name)) return this.#refused;
    return this.#forwardUnknown || this.#allow.has(name) ? this.#unknown : this.#notFound;
  }
}

/**
 * An upstream's own `methods.allow|deny` as a mask by method index (1 = never send it there), or null when all may go.
 * A non-empty allow list means: only these. Unlisted methods share one index: they go unless there is an allow list or
 * everything is denied.
 */
export function deniedMask(catalog: Catalog, allow: readonly string[], deny: readonly string[]): Uint8Array | null {
  if (allow.length === 0 && deny.length === 0) return null;
  const allowed = new MethodSet(allow);
  const denied = new MethodSet(deny);
  const mask = new Uint8Array(catalog.size);
  for (const spec of catalog.specs()) {
    const unlisted = spec === catalog.unknownSpec;
    const name = unlisted ? '' : spec.name;
    if ((!allowed.empty && !allowed.has(name)) || denied.has(name)) mask[spec.index] = 1;
  }
  return mask;
}
