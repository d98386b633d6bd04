import { expect, test } from 'vitest';
import { INITIAL_STATE } from './state.ts';
import type { ProvisionRun } from './state.ts';
import { statusOf } from './status.ts';

const identity = (moment: number): number => moment;
const wanted = { hash: 'b', causes: ['environment of api'], firstAt: 0, lastAt: 0 };

test('statusOf() shows a listener that never ran', () => {
  expect(statusOf(INITIAL_STATE, { type: 'nothing' }, true, identity)).toEqual({
    enabled: true,
    running: false,
    queued: false,
    runs: 0,
    last: null,
    configured: true,
    causes: [],
    held: null,
    retryAt: null,
  });
});

test('statusOf() shows the last run, what is queued and what holds it', () => {
  const run: ProvisionRun = {
    id: 'x',
    hash: 'h',
    revision: 4,
    causes: ['api assigned'],
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:00:01.000Z',
    exitCode: 3,
    signal: null,
    succeeded: false,
    result: 'exit 3',
    logFile: '/log',
  };
  const state = {
    ...INITIAL_STATE,
    wanted,
    forced: { cause: 'provision', skipSettle: false },
    runs: 1,
    history: [run],
  };
  expect(statusOf(state, { type: 'held', why: 'backoff', until: 1_000 }, true, identity)).toMatchObject({
    queued: true,
    runs: 1,
    last: {
      startedAt: run.startedAt,
      endedAt: run.endedAt,
      exitCode: 3,
      causes: ['api assigned'],
      revision: 4,
      result: 'exit 3',
    },
    causes: ['provision', 'environment of api'],
    held: 'backoff',
    retryAt: '1970-01-01T00:00:01.000Z',
  });
  expect(statusOf(state, { type: 'held', why: 'locked', by: 'pid 7' }, true, identity).held).toBe('locked by pid 7');
  const waiting = { type: 'held', why: 'place', group: 'web', ahead: 3, againMs: 1 } as const;
  expect(statusOf(state, waiting, true, identity).held).toBe('waiting for a place in group web: 3 ahead');
  expect(statusOf(state, { ...waiting, ahead: null }, true, identity).held).toBe(
    'waiting for a place in group web: no server can be asked',
  );
});
