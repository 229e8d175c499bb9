import { planOf } from '../cache/plan.ts';
import type { Catalog } from '../chain/catalog.ts';
import type { StampShape } from '../chain/stamp.ts';

/** Where the results of each method name their block, by its index; null = they do not. */
export function stampShapes(catalog: Catalog): readonly (StampShape | null)[] {
  return catalog.specs().map((spec) => {
    const { shape } = planOf(spec);
    return shape === 'none' || shape === 'height' ? null : shape;
  });
}
