import { endOfValue, isArrayAt, isObjectAt, skipSpace } from '../chain/jsonWalk.ts';
import { canonical, KIND, type Kind, sorted } from './canonical.ts';
import { readMembers } from './members.ts';
import type { Plan } from './plan.ts';
import { BlockWord, REF } from './ref.ts';

/** A log filter's members that are folded; `topics` stay as they are: `[A]` is not `[A,null]`. */
const FILTER_MEMBERS: ReadonlyMap<string, Kind> = new Map<string, Kind>([['address', KIND.addresses]]);
const RANGE_MEMBERS: readonly string[] = ['fromBlock', 'toBlock', 'blockHash'];

/**
 * Reads a call's params into the canonical text that stands for them, with the block cut out, so that calls that must
 * give the same answer meet and no others do. One instance serves many calls in turn.
 */
export class KeyReader {
  /** The params without their block. */
  text = '';
  /** The block; of a range its upper end. */
  readonly block = new BlockWord();
  /** Lower end of a range. */
  readonly from = new BlockWord();

  /**
   * @param paramsRaw valid JSON, '' when absent
   * @returns false when the call is not to be stored or shared: params by name, names twice or in two cases, names that
   *   need decoding
   */
  read(plan: Plan, paramsRaw: string): boolean {
    this.block.set(plan.blockIndex < 0 ? REF.none : REF.absent);
    this.from.set(REF.none);
    this.text = '';
    const start = skipSpace(paramsRaw, 0);
    if (paramsRaw.length === 0) return true;
    if (!isArrayAt(paramsRaw, start)) return false;
    let at = skipSpace(paramsRaw, start + 1);
    let index = 0;
    while (at < paramsRaw.length && paramsRaw.charCodeAt(at) !== 0x5d) {
      const end = endOfValue(paramsRaw, at);
      const kind = plan.kinds[index] ?? KIND.raw;
      let piece: string | null;
      if (kind === KIND.block) piece = this.#block(plan, paramsRaw, at, end);
      else piece = kind === KIND.filter ? this.#filter(paramsRaw, at) : canonical(paramsRaw, at, end, kind);
      if (piece === null) return false;
      this.text = index === 0 ? piece : `${this.text},${piece}`;
      index++;
      at = skipSpace(paramsRaw, end);
      if (paramsRaw.charCodeAt(at) !== 0x2c) break;
      at = skipSpace(paramsRaw, at + 1);
    }
    if (plan.absentIsLatest && index === plan.blockIndex) this.text += ',@';
    return true;
  }

  #block(plan: Plan, text: string, at: number, end: number): string {
    this.block.read(text, at, end, plan.isOpen);
    if (plan.isHash && (this.block.kind !== REF.hash || isObjectAt(text, at))) this.block.set(REF.bad);
    return this.block.canonical ? '@canonical' : '@';
  }

  #filter(text: string, at: number): string | null {
    const members = isObjectAt(text, at) ? readMembers(text, at) : null;
    if (members === null) return null;
    const value = (key: string, word: BlockWord, isOpen: boolean): void => {
      const index = members.keys.indexOf(key);
      if (index >= 0) word.read(text, members.from[index] as number, members.to[index] as number, isOpen);
      else word.set(REF.absent);
    };
    value('blockHash', this.block, true);
    if (this.block.kind === REF.absent) {
      value('fromBlock', this.from, false);
      value('toBlock', this.block, false);
    } else if (this.block.kind !== REF.hash || members.keys.includes('fromBlock') || members.keys.includes('toBlock')) {
      this.block.set(REF.bad);
    }
    return sorted(text, at, FILTER_MEMBERS, RANGE_MEMBERS);
  }
}
