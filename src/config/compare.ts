import type { Finding, Path } from './problem.ts';

/** A finding when `small` is over `large`; it points at the first of the two that the text has, `large` before `small`. */
export interface Order {
  readonly small: readonly [path: string, value: number];
  readonly large: readonly [path: string, value: number];
  /** Equal values are wrong too. */
  readonly strict?: boolean;
}

/** Checks orders between options; paths are dotted and below `base`. */
export function compare(base: Path, orders: readonly Order[]): Finding[] {
  return orders.flatMap(({ small, large, strict }) => {
    if (small[1] < large[1] || (strict !== true && small[1] === large[1])) return [];
    const message = `${small[0]} must be ${strict === true ? 'less than' : 'at most'} ${large[0]}`;
    return [{ path: [...base, ...large[0].split('.')], orAt: [...base, ...small[0].split('.')], message }];
  });
}
