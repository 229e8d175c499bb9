/** A source of numbers, uniform in [0, 1). */
export type Random = () => number;

/**
 * A seeded generator: the same seed gives the same run on every machine.
 * Source: sfc32 of PractRand (Chris Doty-Humphrey), seeded through splitmix32.
 * @param seed any integer; only its low 32 bits count
 */
export function seededRandom(seed: number): Random {
  let s = seed | 0;
  const split = (): number => {
    s = (s + 0x9e3779b9) | 0;
    let z = s ^ (s >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) | 0;
  };
  let a = split();
  let b = split();
  let c = split();
  let counter = 1;
  return () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4294967296;
  };
}
