import { describe, expect, it } from 'vitest';
import { stepDepartures } from './departures.ts';
import { testServer } from './testing.ts';

const MAINTENANCE = testServer('m', { admin: 1 });
const DRAINED = testServer('d', { admin: 8 });

describe('stepDepartures()', () => {
  it('does nothing, and needs no further look, while nobody leaves', () => {
    const step = stepDepartures([testServer('a')], new Map([['api/gone', 1]]), { nowMs: 5, capMs: 100 });
    expect(step).toEqual({ departures: new Map(), commands: [], overdue: [], nextMs: null });
  });

  it('deletes servers in maintenance every 100 ms and looks at drained ones every second', () => {
    const both = stepDepartures([MAINTENANCE, DRAINED], new Map(), { nowMs: 5, capMs: 100 });
    expect(both.commands).toEqual(['del server api/m']);
    expect(both.nextMs).toBe(100);
    expect(stepDepartures([DRAINED], new Map(), { nowMs: 5, capMs: 100 })).toMatchObject({
      commands: [],
      nextMs: 1_000,
    });
  });

  it('closes sessions at the cap, counted from when it was first seen leaving, drain included', () => {
    const first = stepDepartures([{ ...MAINTENANCE, admin: 8 }, DRAINED], new Map(), { nowMs: 0, capMs: 100 });
    const early = stepDepartures([MAINTENANCE, DRAINED], first.departures, { nowMs: 99, capMs: 100 });
    expect(early.overdue).toEqual([]);
    const due = stepDepartures([MAINTENANCE, DRAINED], early.departures, { nowMs: 100, capMs: 100 });
    expect(due.overdue.map(({ name }) => name)).toEqual(['m', 'd']);
    expect(due.commands).toEqual([
      'shutdown sessions server api/m',
      'shutdown sessions server api/d',
      'del server api/m',
    ]);
  });

  it('forgets one that came back', () => {
    const left = stepDepartures([DRAINED], new Map(), { nowMs: 0, capMs: 100 });
    const back = stepDepartures([testServer('d')], left.departures, { nowMs: 50, capMs: 100 });
    const again = stepDepartures([DRAINED], back.departures, { nowMs: 120, capMs: 100 });
    expect(again.overdue).toEqual([]);
  });
});
