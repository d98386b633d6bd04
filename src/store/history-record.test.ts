import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inRange } from './contract.ts';
import {
  historyAuthor,
  historyEntry,
  historyKey,
  historyPut,
  historyRange,
  type HistoryKind,
} from './history-record.ts';
import { treeBefore, treeLeft, treeValues } from './history-tree.ts';

const KINDS: readonly HistoryKind[] = ['kv', 'kvtree', 'def', 'ds', 'acl'];
const record = { author: 'token a', at: '2026-01-01T00:00:00.000Z', before: null, beforeRevision: 0 };
const bytes = fc.string({ unit: fc.constantFrom('a', '/', '\0', '\u{ff}', '1'), maxLength: 8 });

test('historyKey() reads what historyPut() wrote, whatever bytes the subject has', () => {
  fc.assert(
    fc.property(fc.constantFrom(...KINDS), bytes, fc.nat(), (kind, subject, decidedAt) => {
      const { key, value } = historyPut({ ...record, kind, subject }, decidedAt);
      expect(historyKey(key)).toEqual({ kind, subject, decidedAt, size: value.length });
      expect(inRange(historyRange(kind, subject), key)).toBe(true);
      const entry = historyEntry({ key, value, createRevision: decidedAt + 1, modRevision: decidedAt + 1 });
      expect(entry).toEqual({ ...record, kind, subject, revision: decidedAt + 1 });
    }),
  );
});

test('historyAuthor() reads the author alone', () => {
  for (const author of ['token a', 'a "b" \\ c', '', '\u{ff}"author":"x"']) {
    const { value } = historyPut(
      { ...record, author, kind: 'kv', subject: '"author":"y"', before: '{"author":"z"}' },
      1,
    );
    expect(historyAuthor(value)).toBe(author);
  }
  expect(() => historyAuthor('{"kind":"kv","author":"x"}')).toThrow(TypeError);
});

test('treeBefore() keeps keys and values up to a bound, and says how many are left out', () => {
  const entries = ['a', 'b', 'c'].map((key) => ({ key, value: 'x'.repeat(9) }));
  const whole = { before: treeBefore(entries) };
  expect([...treeValues(whole).keys(), treeLeft(whole)]).toEqual(['a', 'b', 'c', 0]);
  const cut = { before: treeBefore(entries, 25) };
  expect([...treeValues(cut).keys(), treeLeft(cut)]).toEqual(['a', 'b', 1]);
  expect([treeValues({ before: null }).size, treeLeft({ before: null })]).toEqual([0, 0]);
});

test('treeBefore() does not look at values behind the bound', () => {
  let looked = 0;
  const entries = Array.from({ length: 1_000 }, (_, n) => ({
    key: `k/${n}`,
    get value() {
      looked++;
      return 'x'.repeat(10);
    },
  }));
  expect(treeLeft({ before: treeBefore(entries, 100) })).toBe(993);
  expect(looked).toBe(8);
});
