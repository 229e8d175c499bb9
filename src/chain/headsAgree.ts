/** One node's testimony: how high it is, and what it knows of a height ('' = nothing). */
export interface Witness {
  readonly number: number;
  hashAt(number: number): string;
}

/** What makes an agreement. */
export interface Need {
  /** Witnesses that must be at or above the height and not deny the hash. */
  readonly quorum: number;
  /** Of those, how many must have told the very hash. Two, where three or more nodes speak: one liar cannot pick a hash. */
  readonly minYes: number;
}

/** A block that enough nodes stand by. */
export interface Agreed {
  readonly number: number;
  readonly hash: string;
}

/** Nodes that tell this very hash, and nodes that are as high but have not told their hash there. */
function support(witnesses: readonly Witness[], number: number, hash: string): { yes: number; maybe: number } {
  let yes = 0;
  let maybe = 0;
  for (const witness of witnesses) {
    if (witness.number < number) continue;
    const told = witness.hashAt(number);
    if (told === hash) yes++;
    else if (told === '') maybe++;
  }
  return { yes, maybe };
}

/** The hash at one height that meets the need, or ''. With two that do, the one more nodes tell. */
export function agreedAt(witnesses: readonly Witness[], number: number, need: Need): string {
  let best = '';
  let bestYes = 0;
  for (const witness of witnesses) {
    const hash = witness.hashAt(number);
    if (hash === '' || hash === best) continue;
    const { yes, maybe } = support(witnesses, number, hash);
    if (yes >= need.minYes && yes + maybe >= need.quorum && yes > bestYes) {
      best = hash;
      bestYes = yes;
    }
  }
  return best;
}

/** Where to look for an agreement. */
export interface Range {
  /** Only above this height. */
  readonly floor: number;
  /** Not above this one. */
  readonly ceiling: number;
  /** A height that the nodes were asked about, tried beside those of their heads and parents; -1 = none. */
  readonly asked: number;
}

/** The highest agreed block within the range. */
export function bestAgreed(witnesses: readonly Witness[], range: Range, need: Need): Agreed | null {
  const heights = new Set<number>([range.asked]);
  for (const witness of witnesses) heights.add(witness.number).add(witness.number - 1);
  const sorted = [...heights].filter((h) => h > range.floor && h <= range.ceiling && h >= 0).sort((a, b) => b - a);
  for (const number of sorted) {
    const hash = agreedAt(witnesses, number, need);
    if (hash !== '') return { number, hash };
  }
  return null;
}

/** Height that a majority has reached: one node alone can move it only between what others say. */
export function commonHeight(witnesses: readonly Witness[], quorum: number): number {
  const numbers = witnesses.map((witness) => witness.number).sort((a, b) => b - a);
  return numbers[quorum - 1] ?? -1;
}
