// Medians, spread, and ratios to a neighbour in the same round.

export const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/** Four digits tell as much as can be measured, and keep the files small. */
const short = (n) => Number(n.toPrecision(4));

export const spread = (list) => ({ median: short(median(list)), min: short(Math.min(...list)), max: short(Math.max(...list)) });

/** Medians of a peer's rounds, and of its ratios to `base` round by round where both have a figure. */
function rowOf(rounds, base) {
  const figures = {};
  const ratios = {};
  for (const key of Object.keys(rounds[0])) {
    figures[key] = spread(rounds.map((round) => round[key]));
    if (base?.every((round) => round[key] > 0)) ratios[key] = spread(rounds.map((round, i) => round[key] / base[i][key]));
  }
  return { figures, ratios };
}

/**
 * One table of a case.
 * @param rounds peer -> its figures round by round
 * @param base peer that the ratios are to, or the first of several names that is there; null for none
 */
export function tableOf(title, rounds, base = null) {
  const baseName = [base].flat().find((name) => name !== null && name in rounds) ?? null;
  const rows = Object.fromEntries(Object.entries(rounds).map(([name, list]) => [name, rowOf(list, baseName === null ? undefined : rounds[baseName])]));
  const shortRounds = Object.fromEntries(Object.entries(rounds).map(([name, list]) => [name, list.map((round) => Object.fromEntries(Object.entries(round).map(([key, n]) => [key, short(n)])))]));
  return { title, base: baseName, rows, rounds: shortRounds };
}
