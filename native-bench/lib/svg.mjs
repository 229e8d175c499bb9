// Bar charts as SVG, readable on light and dark ground.

const WIDTH = 760;
const LABEL = 150;
const VALUE = 110;
const BAR = 18;
const GAP = 6;
const HEAD = 54;
const GROUP_HEAD = 24;
const GROUP_GAP = 14;

const STYLE = `text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}.dim{fill:#57606a}.bar{fill:#8c959f}.own{fill:#1f6feb}.reach{stroke:#24292f;stroke-width:1.5}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}.bar{fill:#656c76}.own{fill:#4493f8}.reach{stroke:#e6edf3}}`;

const escaped = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const round = (n) => Math.round(n * 10) / 10;
export const shown = (n) => (n >= 1000 ? Math.round(n).toLocaleString('en-US') : n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1) : n.toFixed(2));

function bar({ name, median, min, max }, y, scale) {
  const width = Math.max(1, median * scale);
  const [from, to] = [LABEL + min * scale, LABEL + max * scale];
  const middle = y + BAR / 2;
  return [
    `<text x="${LABEL - 8}" y="${y + 13}" text-anchor="end">${escaped(name)}</text>`,
    `<rect class="${name.startsWith('tidegate') ? 'own' : 'bar'}" x="${LABEL}" y="${y}" width="${round(width)}" height="${BAR}" rx="2"/>`,
    `<path class="reach" d="M${round(from)} ${middle}H${round(to)}M${round(from)} ${middle - 4}v8M${round(to)} ${middle - 4}v8"/>`,
    `<text x="${round(Math.max(to, LABEL + width) + 8)}" y="${y + 13}">${shown(median)}</text>`,
  ].join('\n');
}

/**
 * @param chart { title, note, groups: [{ name, bars: [{ name, median, min, max }] }] }; the line over a bar reaches from the least to the
 * most of the rounds; all groups have one scale, or each its own where `isApart`
 */
export function barChart({ title, note, groups, isApart = false }) {
  const most = (list) => Math.max(...list.flatMap(({ bars }) => bars.map(({ max }) => max)));
  const parts = [];
  let y = HEAD;
  for (const group of groups) {
    const scale = (WIDTH - LABEL - VALUE) / most(isApart ? [group] : groups);
    parts.push(`<text class="dim" x="12" y="${y + 14}">${escaped(group.name)}</text>`);
    y += GROUP_HEAD;
    for (const one of group.bars) {
      parts.push(bar(one, y, scale));
      y += BAR + GAP;
    }
    y += GROUP_GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}</style>
<text class="title" x="12" y="22">${escaped(title)}</text>
<text class="dim" x="12" y="42">${escaped(note)}</text>
${parts.join('\n')}
</svg>
`;
}
