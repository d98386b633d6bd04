import { describe, expect, it } from 'vitest';
import {
  configurationRefused,
  haproxyEnded,
  haproxyMissing,
  haproxySilent,
  haproxyUnusable,
  notTakenUp,
} from './errors.ts';
import { judgeSetback } from './setback.ts';

describe('judgeSetback()', () => {
  for (const [name, error, isRunning, waitMs, outcome, retryInMs] of [
    ['a HAProxy that does not answer is late', haproxySilent('s', 'x'), true, 0, 'late', 200],
    ['one that does not answer because it is gone failed', haproxySilent('s', 'x'), false, 700, 'failed', 700],
    ['one that ended failed, and is tried when its start is due', haproxyEnded('x'), false, 3_000, 'failed', 3_000],
    ['none at all is refused', haproxyMissing(), false, 0, 'refused', 5_000],
    ['one that is not where it should be is refused', haproxyUnusable('/x'), false, 0, 'refused', 5_000],
    ['a bad configuration is refused', configurationRefused('x'), true, 0, 'refused', 30_000],
    ['what HAProxy did not do failed', notTakenUp('x'), true, 0, 'failed', 2_000],
    ['anything else failed', new Error('disk full'), true, 0, 'failed', 2_000],
    ['also what is no error', 'oops', true, 0, 'failed', 2_000],
  ] as const) {
    it(name, () => expect(judgeSetback(error, { isRunning, waitMs })).toMatchObject({ outcome, retryInMs }));
  }

  it('says what to install', () => {
    const { reason } = judgeSetback(haproxyMissing(), { isRunning: false, waitMs: 0 });
    expect(reason).toBe('haproxy is not installed: apt-get install haproxy');
  });
});
