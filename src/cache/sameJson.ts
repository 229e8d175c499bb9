/** Whether two JSON texts mean the same; clients differ in the order of members and in white space. */
export function sameJson(a: Buffer, b: Buffer): boolean {
  if (a.equals(b)) return true;
  try {
    return JSON.stringify(ordered(JSON.parse(a.toString('utf8')))) === JSON.stringify(ordered(JSON.parse(b.toString('utf8'))));
  } catch {
    return false;
  }
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, inner]) => [key, ordered(inner)]));
}
