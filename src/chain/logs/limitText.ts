/** What a node's refusal tells of how much it would answer. */
export interface RangeHint {
  /** Blocks of one query that it would take; 0 = it does not say. */
  readonly blocks: number;
  /** A limit of the node, whatever a query would match. False: this query matched too much, another of as many blocks may do. */
  readonly firm: boolean;
  /** Too many addresses or topics, not too many blocks. */
  readonly items: boolean;
}

const SILENT: RangeHint = { blocks: 0, firm: false, items: false };

const ITEMS = /specify less number of address|addresses or topics per search position|too many (?:addresses|topics)|exceed max (?:addresses|topics)/i;
/** `[0x1, 0x2]` (Alchemy, Infura), `range 100-200` (Reth, Erigon). */
const SUGGESTED = /\[\s*(0x[0-9a-f]{1,14}|\d{1,15})\s*,\s*(0x[0-9a-f]{1,14}|\d{1,15})\s*\]|range:? (\d{1,15})\s*-\s*(\d{1,15})\b/i;
const NUMBER = '([\\d][\\d,_]{0,14})\\s*(k|m)?\\b';
/** First match wins. Each captures the number, and the thousand or million behind it. */
const LIMITS: readonly RegExp[] = [
  // Infura, and whoever names what was asked for first
  `range:? [\\d,]+ (?:exceeds|is (?:greater|larger) than)(?: the)?(?: max(?:imum)?| limit| of| range)* ?(?:of )?${NUMBER}`,
  // Alchemy, QuickNode, BlockPi, dRPC
  `up to (?:a )?${NUMBER}[- ]blocks?`,
  `limited to (?:a )?${NUMBER}`,
  `limit the query to (?:at most )?(?:a )?${NUMBER}`,
  `ranges? over ${NUMBER} blocks?`,
  `(?:more|greater|larger|wider) than ${NUMBER} blocks?`,
  // Reth, Nethermind, Avalanche, BSC and many providers
  `(?:max(?:imum)?|allowed|permitted)[a-z ,\\[\\]]*(?:range|distance|blocks)(?: limit)?(?: is| of|:|=)*\\s*\\(?${NUMBER}`,
  `(?:range|distance|blocks) (?:limit|maximum|max)(?: is| of|:|=)*\\s*\\(?${NUMBER}`,
  `too (?:large|wide|big)[^\\d]{0,40}?(?:max|limit|maximum)[^\\d]{0,20}${NUMBER}`,
  `exceeds? (?:the )?(?:limit|max(?:imum)?) (?:of )?${NUMBER}(?: blocks?)?`,
].map((source) => new RegExp(source, 'i'));
/** The number counts answers, not blocks. */
const OF_RESULTS = /(?:returned|matched|more than|exceeds?(?: max)?)[a-z ]*[\d,]+ ?(?:results|logs)|max results|response size|results\b/i;
const MAX_CHARS = 512;

const numberOf = (digits: string, unit: string | undefined): number =>
  Number(digits.replace(/[,_]/g, '')) * (unit === undefined ? 1 : unit.toLowerCase() === 'k' ? 1000 : 1_000_000);

/** Reads the text with which a node refused a log query for its size. */
export function readRangeHint(message: string): RangeHint {
  const text = message.slice(0, MAX_CHARS);
  if (ITEMS.test(text)) return { ...SILENT, items: true };
  if (!OF_RESULTS.test(text)) {
    for (const limit of LIMITS) {
      const match = limit.exec(text);
      const blocks = match?.[1] === undefined ? 0 : numberOf(match[1], match[2]);
      if (blocks > 0 && Number.isSafeInteger(blocks)) return { blocks, firm: true, items: false };
    }
  }
  const range = SUGGESTED.exec(text);
  const from = range?.[1] ?? range?.[3];
  const to = range?.[2] ?? range?.[4];
  if (from === undefined || to === undefined) return SILENT;
  return { blocks: Math.max(0, Number(to) - Number(from) + 1), firm: false, items: false };
}
