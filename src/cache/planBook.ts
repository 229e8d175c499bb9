import type { Catalog } from '../chain/catalog.ts';
import type { MethodSpec } from '../chain/method.ts';
import { KIND } from './canonical.ts';
import { type Plan, type PlanRule, planOf } from './plan.ts';

/** What a config says of one method. */
export interface MethodCacheRule {
  readonly rule: Exclude<PlanRule, 'byAnswer'>;
  readonly blockIndex?: number;
}

/** The plans of a chain's methods: the catalogue's, and what the config adds or overrides. */
export class PlanBook {
  readonly #byIndex: readonly (Plan | null)[];
  /** Of methods that the catalogue does not list. */
  readonly #unlisted = new Map<string, Plan>();
  readonly #unknown: MethodSpec;

  constructor(catalog: Catalog, rules: Readonly<Record<string, MethodCacheRule>>) {
    this.#unknown = catalog.unknownSpec;
    this.#byIndex = catalog.specs().map((spec) => {
      const plan = spec === catalog.unknownSpec ? null : ruled(planOf(spec), rules[spec.name], spec.name);
      return plan === null || plan.rule === 'never' ? null : plan;
    });
    for (const [name, rule] of Object.entries(rules)) {
      if (catalog.find(name) === undefined && rule.rule !== 'never') this.#unlisted.set(name, ruled(planOf(catalog.unknownSpec), rule, name));
    }
  }

  /** Hot: null where the method's answers are never stored. */
  of(spec: MethodSpec, method: string): Plan | null {
    if (spec === this.#unknown) return this.#unlisted.size === 0 ? null : (this.#unlisted.get(method) ?? null);
    return this.#byIndex[spec.index] ?? null;
  }
}

function ruled(plan: Plan, rule: MethodCacheRule | undefined, method: string): Plan {
  if (rule === undefined) return plan;
  const { blockIndex } = rule;
  if (blockIndex === undefined) return { ...plan, method, rule: rule.rule };
  const kinds = [...plan.kinds];
  if (plan.blockIndex >= 0) kinds[plan.blockIndex] = KIND.raw;
  while (kinds.length <= blockIndex) kinds.push(KIND.raw);
  kinds[blockIndex] = KIND.block;
  return { ...plan, method, rule: rule.rule, kinds, blockIndex, isOpen: true, isHash: false, isRange: false };
}
