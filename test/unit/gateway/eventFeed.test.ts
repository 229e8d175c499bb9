import { describe, expect, it } from 'vitest';
import { EventFeed } from '../../../src/gateway/eventFeed.ts';
import { EventStream } from '../../../src/controller/eventStream.ts';

/** A reader that takes so many pieces before it is full. */
function bench(options: { readonly kept?: number; readonly maxQueued?: number } = {}) {
  const timers: (() => void)[] = [];
  const world = { clock: { nowMs: () => 0, wallMs: () => 1_700_000_000_000 }, timers: { after: (_: number, run: () => void) => { timers.push(run); return { cancel: () => undefined }; } } };
  const feed = new EventFeed({ kept: options.kept ?? 100, maxReaders: 2, maxQueued: options.maxQueued ?? 3, heartbeatMs: 1000 }, world);
  const open = (room: number, lastId = '') => {
    const stream = new EventStream();
    const got: string[] = [];
    const state = { room, cuts: 0 };
    const reader = feed.stream(lastId).open({
      write: (text) => {
        for (const { kind, data } of stream.push(text)) got.push(kind === 'head' ? String((JSON.parse(data) as { number: number }).number) : kind);
        return --state.room > 0;
      },
      cut: () => void state.cuts++,
    });
    return { got, state, reader, stream };
  };
  const tell = (number: number): void => feed.tell({ kind: 'head', data: { number } });
  return { feed, open, tell, beat: () => { for (const run of timers.splice(0)) run(); } };
}

describe('the event feed', () => {
  it('keeps what a slow reader has not taken, and tells it to look again when that is too much', () => {
    const { open, tell } = bench();
    const { got, state, reader } = open(2);
    for (const number of [1, 2, 3]) tell(number);
    expect(got).toEqual(['look', '1']);
    state.room = 100;
    reader.onDrain();
    expect(got).toEqual(['look', '1', '2', '3']);
    state.room = 1;
    for (const number of [4, 5, 6, 7, 8, 9]) tell(number);
    state.room = 100;
    reader.onDrain();
    expect(got).toEqual(['look', '1', '2', '3', '4', 'look', '9']);
  });

  it('begins behind the last event that was seen, or says that some are lost', () => {
    const { open, tell } = bench({ kept: 2 });
    const first = open(100);
    for (const number of [1, 2]) tell(number);
    const { lastId } = first.stream;
    expect(open(100, lastId).got).toEqual([]);
    tell(3);
    expect(open(100, lastId).got).toEqual(['3']);
    for (const number of [4, 5]) tell(number);
    expect(open(100, lastId).got).toEqual(['look']);
    expect(open(100, 'x-1').got).toEqual(['look']);
    expect(open(100, `${lastId.split('-')[0]}-99`).got).toEqual(['look']);
  });

  it('counts readers, forgets those that left, and cuts one that takes nothing any more', () => {
    const { feed, open, beat } = bench();
    const a = open(1);
    expect(feed.isFull).toBe(false);
    const b = open(100);
    expect(feed.isFull).toBe(true);
    for (let i = 0; i < 4; i++) beat();
    expect([a.state.cuts, b.state.cuts]).toEqual([1, 0]);
    a.reader.onClose();
    b.reader.onClose();
    expect(feed.isFull).toBe(false);
  });
});
