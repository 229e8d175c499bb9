import type { FilterAsk, FilterDesk, FilterWord } from '../filters/desk.ts';
import type { FromWorker } from './protocol.ts';

/** The filters of one chain as a worker process reaches them: they are kept in the process that follows the chain, and outlive workers. */
export class FilterRelay implements FilterDesk {
  private readonly chain: number;
  private readonly tell: (message: FromWorker) => void;
  private readonly waiting = new Map<number, (word: FilterWord) => void>();
  private turns = 0;

  constructor(chain: number, tell: (message: FromWorker) => void) {
    this.chain = chain;
    this.tell = tell;
  }

  ask(ask: FilterAsk, done: (word: FilterWord) => void): void {
    const turn = ++this.turns;
    this.waiting.set(turn, done);
    this.tell({ kind: 'filter', chain: this.chain, turn, ask });
  }

  onWord(turn: number, word: FilterWord): void {
    const done = this.waiting.get(turn);
    this.waiting.delete(turn);
    done?.(word);
  }
}
