import { describe, expect, it } from 'vitest';
import { LoadBook } from '../../../src/route/loadBook.ts';
import { RetryBudget } from '../../../src/route/retryBudget.ts';
import { entryOf, LOOK_UP, ONCE, outcomeOf, RAW_TRANSACTION, specOf, Stage } from '../../help/route.ts';

const broke = (): RetryBudget => new RetryBudget({ percent: 0, reservePerS: 0 });

describe('an answer', () => {
  it('ends the call; what comes after is ignored', () => {
    const stage = new Stage().start().until(5).answer(0, 'result').answer(0, 'result').fail(0, 'transport').until(9000);
    expect(stage.lines).toEqual(['0 send 0 a 500', '5 reply a result0']);
  });

  it.each(['chain', 'client'] as const)('of class %s is final: nobody else is asked', (name) => {
    expect(new Stage().start().answer(0, name).lines).toEqual(['0 send 0 a 500', `0 reply a ${name}0`]);
  });

  it('is not mixed up with one to the call before when a machine is used again', () => {
    const stage = new Stage().start().answer(0, 'result');
    stage.start().answer(0, 'result').answer(1, 'result');
    expect(stage.lines).toEqual(['0 send 0 a 500', '0 reply a result0', '0 send 1 a 500', '0 reply a result1']);
  });

  it('comes at once as a fault where there is no candidate', () => {
    expect(new Stage({ call: { candidateCount: 0, refusal: 'methodUnsupported' } }).start().lines).toEqual([
      '0 fault methodUnsupported',
    ]);
  });

  it('cannot be asked for while one is under way', () => {
    const stage = new Stage().start();
    expect(() => stage.start()).toThrow('not over');
  });
});

describe('a failure', () => {
  it('sends a read on through all nodes: two of three gone is no error', () => {
    const stage = new Stage({ budget: broke() })
      .start()
      .until(2)
      .fail(0, 'transport')
      .until(3)
      .fail(1, 'transport', { unsent: true });
    expect(stage.until(9).answer(2, 'result').lines).toEqual([
      '0 send 0 a 500',
      '2 send 1 b 500',
      '3 send 2 c 4997',
      '9 reply c result2',
    ]);
  });

  it('other than of the connection is charged to the budget', () => {
    expect(new Stage({ budget: broke() }).start().fail(0, 'http').lines).toEqual([
      '0 send 0 a 500',
      '0 fault noUpstream',
    ]);
    const stage = new Stage().start().fail(0, 'http').answer(1, 'result');
    expect(stage.lines.at(-1)).toBe('0 reply b result1');
    expect(stage.budget.spent).toBe(1);
  });

  it('of a node that was ejected meanwhile is not charged', () => {
    const stage = new Stage({ budget: broke() }).start().eject(0, 'ejected').fail(0, 'http');
    expect(stage.lines).toEqual(['0 send 0 a 500', '0 send 1 b 500']);
    expect(stage.budget.free).toBe(1);
  });

  it.each(['missingData', 'unsupported', 'node', 'throttled', 'tooLarge'] as const)(
    'in words (%s) asks another node',
    (name) => {
      expect(new Stage().start().answer(0, name).answer(1, 'result').lines.at(-1)).toBe('0 reply b result1');
    },
  );

  it('leaves the earlier answer of another node standing', () => {
    const stage = new Stage({ options: { maxAttempts: 2 } }).start().answer(0, 'missingData').fail(1, 'transport');
    expect(stage.lines.at(-1)).toBe('0 reply a missingData0');
  });

  it('that may be asked again of the same node is, once, where there is no other', () => {
    const entries = [entryOf(0)];
    const same = { retry: 'same', unsent: true } as const;
    const stage = new Stage({ entries }).start().fail(0, 'transport', same).fail(1, 'transport', same);
    expect(stage.lines).toEqual(['0 send 0 a 5000', '0 send 1 a 5000', '0 fault noUpstream']);
  });

  it('never leads to more sends than maxAttempts', () => {
    const stage = new Stage({ options: { maxAttempts: 2 } }).start().fail(0, 'transport').fail(1, 'transport');
    expect(stage.lines).toEqual(['0 send 0 a 500', '0 send 1 b 5000', '0 fault noUpstream']);
  });

  it('tells when to come back where every node throttles', () => {
    const stage = new Stage({ entries: [entryOf(0), entryOf(1)] }).start();
    stage.fail(0, 'throttled', { holdMs: 7000 }).fail(1, 'throttled', { holdMs: 3000 });
    expect(stage.results).toEqual([{ kind: 'fault', fault: 'noUpstream', holdMs: 3000, sends: 2 }]);
  });

  it('does not go to a node that is full', () => {
    const entries = [entryOf(0), entryOf(1, { maxInFlight: 0 }), entryOf(2)];
    expect(new Stage({ entries }).start().fail(0, 'transport').lines.at(-1)).toBe('0 send 1 c 500');
  });
});

describe('a slow node', () => {
  it('is hedged after its delay; the loser is given up', () => {
    const stage = new Stage().start().until(25).answer(1, 'result');
    expect(stage.lines).toEqual(['0 send 0 a 500', '20 send 1 b 500', '25 cancel 0 lost', '25 reply b result1']);
    expect([stage.book.inFlight(0), stage.book.inFlight(1)]).toEqual([0, 0]);
  });

  it('that fails leaves the call to its hedge', () => {
    expect(new Stage().start().until(25).fail(0, 'transport').until(26).answer(1, 'result').lines.slice(2)).toEqual([
      '26 reply b result1',
    ]);
  });

  it('may still win', () => {
    expect(new Stage().start().until(25).answer(0, 'result').lines.slice(2)).toEqual([
      '25 cancel 1 lost',
      '25 reply a result0',
    ]);
  });

  it('is not hedged without budget, without another node, or for a method that must not be', () => {
    expect(new Stage({ budget: broke() }).start().until(400).lines).toHaveLength(1);
    expect(new Stage({ entries: [entryOf(0)] }).start().until(400).lines).toHaveLength(1);
    expect(new Stage({ method: RAW_TRANSACTION }).start().until(400).lines).toHaveLength(1);
    expect(new Stage({ options: { maxHedges: 0 } }).start().until(400).lines).toHaveLength(1);
  });

  it('is left after its time for the next', () => {
    const stage = new Stage({ method: RAW_TRANSACTION }).start().until(510).answer(1, 'result');
    expect(stage.lines).toEqual(['0 send 0 a 500', '500 cancel 0 timeout', '500 send 1 b 500', '510 reply b result1']);
    expect(stage.results[0]).toMatchObject({ mayHaveRunBefore: true });
  });

  it('gets the time up to the deadline when nobody else is left', () => {
    expect(new Stage({ entries: [entryOf(0)] }).start().until(4999).answer(0, 'result').lines).toEqual([
      '0 send 0 a 5000',
      '4999 reply a result0',
    ]);
    expect(new Stage({ entries: [entryOf(0)] }).start().until(6000).lines).toEqual([
      '0 send 0 a 5000',
      '5000 cancel 0 deadline',
      '5000 fault deadline',
    ]);
  });

  it('is replaced after its time also while its hedge is as slow', () => {
    const stage = new Stage().start().until(501).answer(2, 'result');
    expect(stage.lines).toEqual([
      '0 send 0 a 500',
      '20 send 1 b 500',
      '500 cancel 0 timeout',
      '500 send 2 c 4500',
      '501 cancel 1 lost',
      '501 reply c result2',
    ]);
  });

  it('is waited for where there is no budget to leave it', () => {
    const stage = new Stage({ budget: broke() }).start().until(3000).answer(0, 'result');
    expect(stage.lines).toEqual(['0 send 0 a 500', '3000 reply a result0']);
  });

  it('gets more time for log queries and traces', () => {
    const stage = new Stage({ method: specOf({ class: 'logs' }), call: { deadlineMs: 60_000 } }).start().until(199);
    expect(stage.lines).toEqual(['0 send 0 a 5000']);
    expect(stage.until(200).lines.at(-1)).toBe('200 send 1 b 5000');
  });

  it('that stopped answering everybody is left free of charge, and is no choice for a hedge', () => {
    const book = new LoadBook(3);
    for (let i = 0; i < 3; i++) {
      book.sent(0, -200);
      book.sent(1, -200);
    }
    const stage = new Stage({ book, budget: broke() }).start().until(20);
    expect(stage.lines).toEqual(['0 send 0 a 500', '20 send 1 c 500']);
  });

  it('that goes down hands its call on at once, also one that is not hedged', () => {
    const stage = new Stage({ method: RAW_TRANSACTION, budget: broke() }).start().until(100).eject(0, 'down');
    expect(stage.lines).toEqual(['0 send 0 a 500', '100 cancel 0 down', '100 send 1 b 500']);
  });

  it('that is only judged ill may finish', () => {
    expect(
      new Stage({ method: RAW_TRANSACTION }).start().until(100).eject(0, 'ejected').answer(0, 'result').lines.at(-1),
    ).toBe('100 reply a result0');
  });
});

describe('a call that must not run twice', () => {
  it('goes on only where nothing left the process', () => {
    const stage = new Stage({ method: ONCE }).start().fail(0, 'transport', { unsent: true }).fail(1, 'transport');
    expect(stage.lines).toEqual(['0 send 0 a 5000', '0 send 1 b 5000', '0 fault sentUnknown']);
  });

  it.each(['timeout', 'http', 'badJson', 'wrongId'] as const)('is lost with a %s', (name) => {
    expect(new Stage({ method: ONCE }).start().fail(0, name).lines.slice(1)).toEqual(['0 fault sentUnknown']);
  });

  it('shows the error of its node', () => {
    expect(new Stage({ method: ONCE }).start().answer(0, 'node').lines.slice(1)).toEqual(['0 reply a node0']);
  });

  it('waits until its deadline, whatever becomes of its node', () => {
    const stage = new Stage({ method: ONCE }).start().until(900).eject(0, 'down').until(6000);
    expect(stage.lines).toEqual(['0 send 0 a 5000', '5000 cancel 0 deadline', '5000 fault sentUnknown']);
  });
});

describe('a null that can mean "not here yet"', () => {
  const newer = [entryOf(0), entryOf(1), entryOf(2, { headNumber: 101 })];

  it('is asked of the one node that knows a newer head, and no third', () => {
    expect(new Stage({ method: LOOK_UP, entries: newer }).start().answer(0, 'null').answer(1, 'result').lines).toEqual([
      '0 send 0 a 500',
      '0 send 1 c 500',
      '0 reply c result1',
    ]);
    expect(
      new Stage({ method: LOOK_UP, entries: newer }).start().answer(0, 'null').answer(1, 'null').lines.slice(2),
    ).toEqual(['0 reply a null']);
  });

  it('stands where nobody knows more, the budget is spent, or it is switched off', () => {
    const alone = ['0 send 0 a 500', '0 reply a null'];
    expect(new Stage({ method: LOOK_UP }).start().answer(0, 'null').lines).toEqual(alone);
    expect(new Stage({ method: LOOK_UP, entries: newer, budget: broke() }).start().answer(0, 'null').lines).toEqual(
      alone,
    );
    expect(
      new Stage({ method: LOOK_UP, entries: newer, options: { nullRetry: false } }).start().answer(0, 'null').lines,
    ).toEqual(alone);
    expect(new Stage({ entries: newer }).start().answer(0, 'null').lines).toEqual(alone);
  });

  it('is asked of any other node when the hash came through here', () => {
    const stage = new Stage({ method: LOOK_UP, call: { hashSeen: true } }).start().answer(0, 'null');
    expect(stage.lines).toEqual(['0 send 0 a 500', '0 send 1 b 500']);
  });

  it.each(['transport', 'http', 'timeout'] as const)('is the answer when the other node fails (%s)', (name) => {
    const stage = new Stage({ method: LOOK_UP, entries: newer }).start().answer(0, 'null').fail(1, name);
    expect(stage.lines.at(-1)).toBe('0 reply a null');
  });

  it('is not asked of a third node when the second fails', () => {
    const stage = new Stage({ method: LOOK_UP, call: { hashSeen: true } })
      .start()
      .answer(0, 'null')
      .fail(1, 'transport');
    expect(stage.lines).toEqual(['0 send 0 a 500', '0 send 1 b 500', '0 reply a null']);
  });

  it('does not wait until the deadline for a node that would have had so long', () => {
    const entries = [entryOf(0), entryOf(1)];
    const stage = new Stage({ method: LOOK_UP, entries }).start().until(30).answer(0, 'null').until(1000);
    expect(stage.lines).toEqual(['0 send 0 a 500', '20 send 1 b 4980', '530 cancel 1 timeout', '530 reply a null']);
  });

  it.each(['client', 'missingData'] as const)('is not beaten by an error (%s)', (name) => {
    const stage = new Stage({ method: LOOK_UP, entries: newer }).start().answer(0, 'null').answer(1, name);
    expect(stage.lines.at(-1)).toBe('0 reply a null');
  });

  it('is given when the other node takes too long', () => {
    const stage = new Stage({ method: LOOK_UP, entries: newer }).start().answer(0, 'null').until(1000);
    expect(stage.lines.slice(2)).toEqual(['500 cancel 1 timeout', '500 reply a null']);
  });

  it('does not win against data under way, however fast it is', () => {
    const stage = new Stage({ method: LOOK_UP }).start().until(21).answer(1, 'null').until(90).answer(0, 'result');
    expect(stage.lines).toEqual(['0 send 0 a 500', '20 send 1 b 500', '90 reply a result0']);
  });

  it('does not wait for a node that answers nobody', () => {
    const book = new LoadBook(3);
    for (let i = 0; i < 3; i++) book.sent(0, -5);
    const stage = new Stage({ method: LOOK_UP, book }).start().until(21).answer(1, 'null').until(200);
    expect(stage.lines).toEqual(['0 send 0 a 500', '20 send 1 b 500', '61 cancel 0 lost', '61 reply b null']);
  });
});

describe('a client that leaves', () => {
  it('stops everything', () => {
    const stage = new Stage().start().until(20);
    stage.machine.onGone();
    stage.answer(0, outcomeOf('cancelled')).until(9000);
    expect(stage.lines.slice(2)).toEqual(['20 cancel 0 gone', '20 cancel 1 gone', '20 gone']);
  });
});
