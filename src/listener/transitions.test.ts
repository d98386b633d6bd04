import { describe, expect, test } from 'vitest';
import { INITIAL_STATE } from './state.ts';
import type { ListenerState, ProvisionRun } from './state.ts';
import { viewOf } from './testing.ts';
import type { InputsSketch } from './testing.ts';
import { ended, forcedBy, noticed, started, turned, withdrawn } from './transitions.ts';

const api = (digest: string, registered: Readonly<Record<string, string>> = {}): InputsSketch => ({
  assigned: { api: digest },
  registered,
});
const see = (state: ListenerState, revision: number, sketch: InputsSketch, now = revision): ListenerState =>
  noticed(state, viewOf(revision, sketch), now);
const begin = (state: ListenerState, revision: number, sketch: InputsSketch, now = revision): ListenerState =>
  started(state, viewOf(revision, sketch), { id: `run-${revision}`, wallMs: 0 }, now);

function end(state: ListenerState, succeeded: boolean, now = 0): ListenerState {
  const run = { id: state.running?.id, succeeded, result: succeeded ? 'exit 0' : 'exit 3' } as ProvisionRun;
  return ended(state, run, now);
}

/** A listener whose last run succeeded with `sketch` at revision 1. */
const settled = (sketch: InputsSketch): ListenerState => end(begin(see(INITIAL_STATE, 1, sketch), 1, sketch), true);

describe('noticed()', () => {
  test('wants the first run when the node is assigned a service (P22)', () => {
    expect(see(INITIAL_STATE, 1, api('a')).wanted).toEqual({
      hash: viewOf(1, api('a')).listener.hash,
      causes: ['api assigned'],
      firstAt: 1,
      lastAt: 1,
    });
  });

  test('wants nothing when the node merely has instances', () => {
    const state = see(INITIAL_STATE, 1, { registered: { redis: 'a' } });
    expect(state.wanted).toBeNull();
    expect(see(state, 2, { registered: { redis: 'b' } }).wanted?.causes).toEqual(['environment of redis']);
  });

  test('wants nothing when nothing changed, nor when an instance comes or goes', () => {
    const state = settled(api('a'));
    expect(see(state, 2, api('a')).wanted).toBeNull();
    const more = see(state, 3, api('a', { redis: 'x' }));
    expect(more.wanted).toBeNull();
    expect(see(more, 4, api('a')).wanted).toBeNull();
  });

  test('keeps the moment of the first change and moves that of the last', () => {
    const first = see(settled(api('a')), 2, api('b'), 200);
    const same = see(first, 3, api('b'), 300);
    expect(same.wanted).toMatchObject({ firstAt: 200, lastAt: 200 });
    expect(see(same, 4, api('c'), 400).wanted).toMatchObject({ firstAt: 200, lastAt: 400 });
  });

  test('wants nothing any more when a change was taken back before its run', () => {
    expect(see(see(settled(api('a')), 2, api('b')), 3, api('a')).wanted).toBeNull();
  });

  test('sees a change of an instance that came while a run was wanted', () => {
    const wanting = see(settled(api('a')), 2, api('b', { redis: 'x' }));
    const back = see(wanting, 3, api('a', { redis: 'y' }));
    expect(back.wanted?.causes).toEqual(['environment of redis']);
  });

  test('compares with what the running run was started for', () => {
    const running = begin(see(INITIAL_STATE, 1, api('a')), 1, api('a'));
    expect(see(running, 2, api('a')).wanted).toBeNull();
    expect(see(running, 2, api('a')).running?.covers).toBe(2);
    const queued = see(running, 3, api('b'));
    expect(queued.wanted?.causes).toEqual(['environment of api']);
    expect(queued.running?.covers).toBe(1);
  });

  test('keeps wanting after a failure, also when the change was taken back: the node may be half provisioned', () => {
    const failed = end(begin(see(settled(api('a')), 2, api('b')), 2, api('b')), false);
    const back = see(failed, 3, api('a'));
    expect(back.wanted).not.toBeNull();
    expect(back.failed?.count).toBe(0);
  });
});

describe('ended()', () => {
  test('takes what the run was started for as done, not what came later', () => {
    const running = begin(see(INITIAL_STATE, 1, api('a')), 1, api('a'));
    const after = end(see(running, 2, api('b')), true);
    expect(after.done?.hash).toBe(viewOf(1, api('a')).listener.hash);
    expect(after.wanted?.causes).toEqual(['environment of api']);
    expect(after.failed).toBeNull();
  });

  test('counts failures of the same inputs and forgets them when the inputs changed', () => {
    let state = end(begin(see(INITIAL_STATE, 1, api('a')), 1, api('a')), false, 10);
    expect(state.failed).toMatchObject({ count: 1, at: 10, reason: 'exit 3' });
    state = end(begin(state, 2, api('a')), false, 20);
    expect(state.failed).toMatchObject({ count: 2, at: 20 });
    expect(see(state, 3, api('b')).failed?.count).toBe(0);
    expect(see(state, 3, api('a', { redis: 'x' })).failed?.count).toBe(2);
    expect(end(see(begin(state, 4, api('a')), 5, api('b')), false).failed?.count).toBe(0);
    expect(end(begin(state, 4, api('a')), true).failed).toBeNull();
  });

  test('wants the run again after a failure, for the same causes', () => {
    const state = end(begin(forcedBy(settled(api('a')), { cause: 'provision', skipSettle: true }), 2, api('a')), false);
    expect(state.wanted?.causes).toEqual(['provision']);
    expect(state.forced).toBeNull();
  });

  test('keeps the latest fifty runs and counts all', () => {
    let state = settled(api('a'));
    for (let run = 0; run < 60; run++) state = end(begin(state, run, api('a')), true);
    expect(state.runs).toBe(61);
    expect(state.history).toHaveLength(50);
    expect(state.history[0]?.id).toBe('run-59');
  });
});

describe('turned()', () => {
  test('queues one run when turned on, whatever the hash', () => {
    const off = turned(settled(api('a')), false);
    expect(off).toMatchObject({ enabled: false, forced: null });
    expect(turned(off, true)).toMatchObject({ enabled: true, forced: { cause: 'listener:on', skipSettle: true } });
  });

  test('changes nothing when it is so already (F11)', () => {
    const state = settled(api('a'));
    expect(turned(state, true)).toBe(state);
  });
});

describe('withdrawn()', () => {
  test('restores what the run that never started was for', () => {
    const before = forcedBy(see(settled(api('a')), 2, api('b')), { cause: 'provision', skipSettle: true });
    expect(withdrawn(begin(before, 2, api('b')))).toEqual({ ...before, lastStartAt: 2 });
  });

  test('puts what came since to it', () => {
    const before = see(settled(api('a')), 2, api('b'), 200);
    const state = withdrawn(see(begin(before, 2, api('b'), 210), 3, { assigned: { api: 'b', web: 'x' } }, 300));
    expect(state.wanted).toMatchObject({ causes: ['environment of api', 'web assigned'], firstAt: 200, lastAt: 300 });
  });
});
