import { describe, expect, test } from 'vitest';
import { healthOf } from './health-of.ts';
import { isGone, isLost, sayLost } from './lost.ts';
import type { AliveRecord } from './records.ts';
import { catalogOf } from './testing.ts';

const alive = (status: AliveRecord['status'], more: Partial<AliveRecord> = {}): AliveRecord => ({
  status,
  since: '2026-01-01T00:00:00.000Z',
  ...more,
});

test.each<[AliveRecord, lost: readonly string[], gone: boolean]>([
  [alive('up'), [], false],
  [alive('up', { dead: { a: 'refused' } }), [], false],
  [alive('suspected'), [], false],
  [alive('suspected', { dead: { a: 'refused' } }), ['a'], false],
  [alive('down'), ['a', 'b', 'toString'], true],
  [alive('down', { answering: [] }), ['a', 'b', 'toString'], true],
  [alive('down', { answering: ['b'] }), ['a', 'toString'], false],
  [alive('left'), ['a', 'b', 'toString'], true],
  [alive('left', { answering: ['b'] }), ['a', 'b', 'toString'], true],
])('isLost() and isGone() of %j', (record, lost, gone) => {
  expect(['a', 'b', 'toString'].filter((id) => isLost(record, id))).toEqual(lost);
  expect(isGone(record)).toBe(gone);
});

describe('sayLost()', () => {
  test('says what probes found, and why the node is suspected', () => {
    const record = alive('suspected', { evidence: 'its link is gone: reset', dead: { a: 'refused' } });
    expect(sayLost(record, 'a')).toBe('nothing listens at its address; of its node: its link is gone: reset');
    expect(sayLost(alive('down', { answering: ['b'] }), 'a')).toBe('it did not answer probes');
  });
});

test('healthOf() is critical for what is lost with its node, and what it was for the rest', () => {
  const catalog = catalogOf({ nodes: [{ name: 'n1', services: ['a', { service: 'b', status: 'warning' }] }] });
  const node = catalog.node('n1');
  const health = (record: AliveRecord): string[] =>
    [...(node?.instances.values() ?? [])].map((one) =>
      healthOf({ ...one, node: { ...one.node, alive: record, checks: new Map() } as never }),
    );
  expect(health(alive('suspected', { dead: { a: 'silent' } }))).toEqual(['critical', 'warning']);
  expect(health(alive('down', { answering: ['b'] }))).toEqual(['critical', 'warning']);
  expect(health(alive('down'))).toEqual(['critical', 'critical']);
});
