import { plainText } from './ask.ts';

/** Columns under their titles, two spaces apart; numbers to the right. */
export function tableLines(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const clean = [titles, ...rows.map((row) => row.map(plainText))];
  const widths = titles.map((_, column) => Math.max(...clean.map((row) => row[column]?.length ?? 0)));
  const isNumeric = titles.map((_, column) => rows.length > 0 && rows.every((row) => /^[-\d.]+( ms)?$/.test(row[column] ?? '')));
  const pad = (text: string, column: number): string => {
    const width = widths[column] ?? 0;
    return isNumeric[column] === true ? text.padStart(width) : text.padEnd(width);
  };
  return clean.map((row) => row.map(pad).join('  ').trimEnd());
}

/** A number with at most so many digits behind the point. */
export function short(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
