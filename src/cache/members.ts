import { endOfValue, skipSpace } from '../chain/jsonWalk.ts';

const COLON = 0x3a;
const COMMA = 0x2c;
const QUOTE = 0x22;
/** Beyond this many a set finds twins cheaper than pairs do. */
const FEW = 12;

/** The members of one object: names as they stand, and where their values are. */
export interface Members {
  readonly keys: string[];
  readonly from: number[];
  readonly to: number[];
  /** Offset behind the object. */
  end: number;
}

/**
 * The members of the object at `at` of a valid JSON text. Null where decoders may disagree about what it says: a name
 * occurs twice, or twice but for letter case, or is written with escapes or beyond ASCII.
 */
export function readMembers(text: string, at: number): Members | null {
  const members: Members = { keys: [], from: [], to: [], end: 0 };
  let i = skipSpace(text, at + 1);
  while (text.charCodeAt(i) === QUOTE) {
    const keyEnd = text.indexOf('"', i + 1);
    const key = text.slice(i + 1, keyEnd);
    if (!isPlain(key)) return null;
    i = skipSpace(text, keyEnd + 1);
    if (text.charCodeAt(i) !== COLON) return null;
    const from = skipSpace(text, i + 1);
    const to = endOfValue(text, from);
    members.keys.push(key);
    members.from.push(from);
    members.to.push(to);
    i = skipSpace(text, to);
    if (text.charCodeAt(i) !== COMMA) break;
    i = skipSpace(text, i + 1);
  }
  members.end = i + 1;
  return hasTwins(members.keys) ? null : members;
}

function isPlain(key: string): boolean {
  for (let i = 0; i < key.length; i++) {
    const c = key.charCodeAt(i);
    if (c === 0x5c || c >= 0x80) return false;
  }
  return true;
}

function hasTwins(keys: readonly string[]): boolean {
  if (keys.length > FEW) return new Set(keys.map((key) => key.toLowerCase())).size !== keys.length;
  for (let a = 1; a < keys.length; a++) {
    const key = keys[a] as string;
    for (let b = 0; b < a; b++) {
      const other = keys[b] as string;
      if (other.length === key.length && (other === key || other.toLowerCase() === key.toLowerCase())) return true;
    }
  }
  return false;
}
