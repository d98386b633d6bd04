import { expect, test } from 'vitest';
import { catalogOf } from '../../registry/testing.ts';
import type { AliveRecord, CatalogNode } from '../../registry/index.ts';
import { isReaped } from './reap.ts';

const HOUR_MS = 3_600_000;
const since = '2026-01-01T00:00:00.000Z';

test.each<[Partial<AliveRecord>, saidMs: number, seenMs: number, external: boolean, expected: boolean]>([
  [{ status: 'down' }, 72 * HOUR_MS, HOUR_MS, false, true],
  [{ status: 'left' }, 72 * HOUR_MS, HOUR_MS, false, true],
  [{ status: 'down' }, 72 * HOUR_MS - 1, 80 * HOUR_MS, false, false],
  // A clock that jumped by days.
  [{ status: 'down' }, 1_000 * HOUR_MS, HOUR_MS - 1, false, false],
  [{ status: 'down', answering: ['a'] }, 100 * HOUR_MS, 100 * HOUR_MS, false, false],
  [{ status: 'suspected' }, 100 * HOUR_MS, 100 * HOUR_MS, false, false],
  [{ status: 'up' }, 100 * HOUR_MS, 100 * HOUR_MS, false, false],
  [{ status: 'down' }, 100 * HOUR_MS, 100 * HOUR_MS, true, false],
])('isReaped() of %j said for %d ms, seen for %d ms', (alive, saidMs, seenMs, external, expected) => {
  const node = catalogOf({ nodes: [{ name: 'n1', external, services: ['a'] }] }).node('n1') as CatalogNode;
  const { record, instances, checks, createRevision, modRevision } = node;
  const given = { record, instances, checks, createRevision, modRevision, alive: { since, ...alive } as AliveRecord };
  expect(isReaped(given, { saidMs, seenMs }, 72 * HOUR_MS)).toBe(expected);
});
