import { expect, test } from 'vitest';
import { listenerLines } from './listener-lines.ts';

const NOW = new Date(2026, 2, 12, 14, 7, 32).getTime();
const iso = (seconds: number): string => new Date(NOW + seconds * 1_000).toISOString();
const idle = {
  enabled: true,
  running: false,
  queued: false,
  runs: 0,
  last: null,
  configured: true,
  causes: [],
  held: null,
  retryAt: null,
};
const last = {
  startedAt: iso(-11),
  endedAt: iso(-10),
  exitCode: 0,
  causes: ['environment of app-www'],
  revision: 5,
  result: 'exit 0',
};

test.each([
  [{}, ['the listener is on; no provision runs; 0 runs so far', 'it has not provisioned yet']],
  [
    { runs: 1, running: true, last },
    [
      'the listener is on; a provision runs; 1 run so far',
      'the last one succeeded at 14:07:22 after 1 s, because of environment of app-www',
    ],
  ],
  [
    {
      queued: true,
      causes: ['a', 'b'],
      held: 'backoff',
      retryAt: iso(28),
      runs: 2,
      last: { ...last, exitCode: null, result: 'killed by SIGKILL', causes: [] },
    },
    [
      'the listener is on; no provision runs; 2 runs so far',
      'one is queued because of a, b; it waits, because the last one failed, until 14:08:00',
      'the last one failed: killed by SIGKILL at 14:07:22 after 1 s, because of nothing',
    ],
  ],
  [
    { enabled: false, queued: true, causes: ['a'], held: 'off' },
    [
      'the listener is off; no provision runs; 0 runs so far',
      'one is queued because of a; the listener is off',
      'it has not provisioned yet',
    ],
  ],
])('listenerLines() of %j', (more, lines) => {
  expect(listenerLines({ ...idle, ...more }, NOW)).toEqual(lines);
});
