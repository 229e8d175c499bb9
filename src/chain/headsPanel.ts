import type { HeadOptions } from './headsOptions.ts';
import type { Need } from './headsAgree.ts';
import type { NodeView } from './headsView.ts';

/** A node that has not spoken for this long has no voice. Down nodes are forgotten at once; this is the backstop. */
const VOICE_MS = 30_000;

/** Who speaks about the head at one moment. */
export interface Panel {
  /** All that answered lately. */
  readonly live: readonly NodeView[];
  /** Those of them that did not fall asleep while another moved on. */
  readonly awake: readonly NodeView[];
}

/** Notes who fell behind whom since when, and picks who speaks. */
export function gatherPanel(views: Iterable<NodeView>, stallMs: number, nowMs: number): Panel {
  const all: NodeView[] = [];
  let top = -1;
  for (const view of views) {
    if (nowMs - view.reportedAtMs > VOICE_MS) continue;
    all.push(view);
  }
  const open = all.filter((view) => !view.muted);
  const live = open.length > 0 ? open : all;
  for (const view of live) top = Math.max(top, view.number);
  for (const view of live) {
    if (view.number >= top) view.behindSinceMs = -1;
    else if (view.behindSinceMs < 0) view.behindSinceMs = nowMs;
  }
  const awake = live.filter((view) => view.behindSinceMs < 0 || nowMs - view.behindSinceMs < stallMs);
  return { live, awake };
}

/**
 * How many must agree. Where most sleep, those awake decide alone, but then they are a third of all at least.
 * @param speakers nodes whose word counts here
 * @param expected nodes that answer or may soon answer: from three up, two must have told the very hash
 */
export function needOf(quorum: HeadOptions['quorum'], speakers: number, expected: number): Need {
  const wanted = quorum === 'auto' ? Math.floor(speakers / 2) + 1 : Math.min(quorum, speakers);
  const minority = 2 * speakers <= expected;
  return { quorum: Math.max(1, wanted), minYes: expected < 3 ? 1 : Math.max(2, minority ? Math.ceil(expected / 3) : 0) };
}
