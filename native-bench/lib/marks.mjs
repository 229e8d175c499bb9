// Pages of which a part is made of figures: what stands between two marks.

const BEGIN = '<!-- made by npm run bench:report, begin -->';
const END = '<!-- made by npm run bench:report, end -->';

/** The page with its part made anew. @param name of the page, for the error */
export function between(name, page, part) {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${name} has no "${BEGIN}" and "${END}"`);
  return `${page.slice(0, from)}${BEGIN}\n${part}\n${page.slice(to)}`;
}
