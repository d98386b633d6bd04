import { describe, expect, test } from 'vitest';
import type { WireTrace, WireTraceConsumer } from '../../client/src/index.ts';
import { sayConsumer, traceLines } from './trace-lines.ts';

const NOW = new Date(2026, 2, 12, 14, 7, 32).getTime();
const at = new Date(2026, 2, 12, 12, 1, 22, 870).toISOString();
const arrived: WireTraceConsumer = {
  node: 'staging',
  kind: 'environment',
  state: 'arrived',
  outcome: 'applied',
  tookMs: 3.96,
};
const late: WireTraceConsumer = { node: 'staging', kind: 'balancer', state: 'late' };
const trace = (consumers: WireTraceConsumer[], more: Partial<WireTrace> = {}): WireTrace => ({
  revision: 57,
  at,
  summary: ['datastore A'],
  consumers,
  arrived: consumers.filter((one) => one.state === 'arrived').length,
  of: consumers.length,
  converged: true,
  ...more,
});

describe('traceLines()', () => {
  test('says first what was changed, then where it arrived', () => {
    const slow = { ...arrived, kind: 'listener', tookMs: 1_234 };
    expect(traceLines(trace([arrived, slow]), NOW)).toEqual([
      'r57  12:01:22  datastore A',
      'it has arrived everywhere: 2 of 2',
      '',
      'consumer             state    took   why',
      'environment@staging  arrived  4 ms',
      'listener@staging     arrived  1.2 s',
    ]);
  });

  test('names who is late in the finding', () => {
    const lines = traceLines(trace([arrived, late], { converged: false }), NOW);
    expect(lines[1]).toBe('it has arrived at 1 of 2: balancer@staging late');
  });

  test('says that nobody waits for a node that is down', () => {
    const lines = traceLines(trace([arrived, { ...late, down: true }]), NOW);
    expect(lines[1]).toBe(
      'it has arrived at 1 of 2, nobody else is waited for: balancer@staging late, its node is down',
    );
  });

  test('gives the date of another day', () => {
    expect(traceLines(trace([arrived]), NOW + 86_400_000)[0]).toBe('r57  2026-03-12 12:01:22  datastore A');
  });
});

test('sayConsumer() gives reason and next try as far as known', () => {
  expect(sayConsumer(late)).toBe('balancer@staging late');
  expect(sayConsumer({ ...late, state: 'held', reason: 'off', retryAt: 'T' })).toBe(
    'balancer@staging held (off; next try T)',
  );
});
