const MAX_LENGTH = 64;

/**
 * Edits (insert, delete, replace, swap of neighbours) that turn one text into the other.
 * Source: optimal string alignment distance. Texts over 64 characters are infinitely far from everything.
 */
export function editDistance(from: string, to: string): number {
  if (from.length > MAX_LENGTH || to.length > MAX_LENGTH) return Number.POSITIVE_INFINITY;
  let older: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let cost = Math.min((row[j - 1] ?? 0) + (same ? 0 : 1), (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1])
        cost = Math.min(cost, (older[j - 2] ?? 0) + 1);
      next.push(cost);
    }
    older = row;
    row = next;
  }
  return row[to.length] ?? 0;
}

/** `max_body_bytes` and `maxBodyBytes` are the same word. */
const fold = (text: string): string => text.replace(/[_-]/g, '').toLowerCase();

/** A unit was left out: `timeout` for `timeoutMs`. */
const lacksUnit = (word: string, known: string): boolean =>
  known.startsWith(word) && /^(ms|s|bytes)$/.test(known.slice(word.length));

/**
 * The known word nearest to a mistyped one; undefined when none is near.
 * @param word as typed
 * @param known the words that are allowed
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const folded = fold(word);
  const scored = known.map((candidate) => {
    const target = fold(candidate);
    return { candidate, distance: lacksUnit(folded, target) ? 0.5 : editDistance(folded, target) };
  });
  scored.sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(folded.length * 0.4))
    ? best.candidate
    : undefined;
}
