import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
} from 'yaml';
import type { Finding, Path, Problem } from './problem.ts';
import { pathText } from './problem.ts';

const MAX_TEXT_CHARS = 262_144;
const MAX_BRACKET_DEPTH = 64;
const MAX_ALIASES = 1000;

/** A parsed text: its plain value, and where each path of it stands. */
export interface Source {
  /** Plain data; undefined when the text could not be read. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  locate(finding: Finding): Problem;
}

interface Place {
  readonly key: Node | null;
  readonly value: Node | null;
}

const bracketDepth = (text: string): number => {
  let depth = 0;
  let deepest = 0;
  for (const char of text) {
    if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth);
    else if ((char === ']' || char === '}') && depth > 0) depth--;
  }
  return deepest;
};

/** Texts that would cost the YAML parser seconds or its stack are refused unread. */
const refusal = (text: string): string | null => {
  if (text.length > MAX_TEXT_CHARS) return `the text is longer than ${MAX_TEXT_CHARS} characters`;
  if (bracketDepth(text) > MAX_BRACKET_DEPTH) return `brackets are nested deeper than ${MAX_BRACKET_DEPTH}`;
  if (/^\s*([-?:]\s+){16}/m.test(text)) return 'lists are nested deeper than 16 on one line';
  if ((text.match(/(^|[\s[{,])\?(?=\s)/gm) ?? []).length > 20) return 'explicit keys (? key) are not supported';
  return null;
};

const resolve = (node: unknown, document: Document): unknown => (isAlias(node) ? node.resolve(document) : node);

const child = (parent: unknown, step: string | number): Place | null => {
  if (isSeq(parent)) {
    const value = parent.items[Number(step)];
    return value === undefined ? null : { key: null, value: value as Node };
  }
  if (!isMap(parent)) return null;
  const pair = parent.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
  return pair === undefined ? null : { key: pair.key as Node, value: pair.value as Node | null };
};

/** The place of a path, or of its nearest ancestor that the text has. */
const find = (document: Document, path: Path): Place & { readonly exact: boolean } => {
  let place: Place = { key: null, value: document.contents as Node | null };
  for (const step of path) {
    const next = child(resolve(place.value, document), step);
    if (next === null) return { ...place, exact: false };
    place = next;
  }
  return { ...place, exact: true };
};

/** The message without quoted text: that may be a secret. */
const syntaxMessage = (error: YAMLError): string => {
  if (error.code === 'MULTIPLE_DOCS') return 'the text holds more than one document';
  if (error.code === 'DUPLICATE_KEY') return 'the key occurs twice';
  if (/call stack/.test(error.message)) return 'nested too deep';
  return error.message.replace(/: ".*$/s, '');
};

const plain = (document: Document): { value: unknown; fault: string | null } => {
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown, fault: null };
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    return {
      value: undefined,
      fault: /^Unresolved alias/.test(message) ? message : 'aliases (*name) expand to too much',
    };
  }
};

/** Reads YAML text into plain data. Never throws; what is wrong is in `problems`. */
export function readSource(text: string): Source {
  const refused = refusal(text);
  const whole = (message: string): Problem => ({ path: '', line: 1, column: 1, message });
  if (refused !== null)
    return { value: undefined, problems: [whole(refused)], locate: ({ message }) => whole(message) };

  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const problems: Problem[] = [...document.errors, ...document.warnings].map((error) => ({
    path: '',
    ...at(error.pos[0]),
    message: syntaxMessage(error),
  }));
  const { value, fault } = problems.length === 0 ? plain(document) : { value: undefined, fault: null };
  if (fault !== null) problems.push(whole(fault));

  return {
    value,
    problems,
    locate({ path, atKey, message, suggestion }) {
      const { key, value: node, exact } = find(document, path);
      const marked = exact && atKey !== true ? (node ?? key) : (key ?? node);
      const position = at(marked?.range?.[0] ?? 0);
      return { path: pathText(path), ...position, message, ...(suggestion === undefined ? {} : { suggestion }) };
    },
  };
}
