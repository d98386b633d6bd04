import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLost, type AliveRecord } from '../../registry/index.ts';
import type { Verdict } from './findings.ts';
import { judge, type Judgement, type SilentNode } from './judge.ts';

const since = '2026-01-01T00:00:00.000Z';

function silent(
  alive: Omit<AliveRecord, 'since'>,
  silentForMs: number,
  findings: Record<string, Verdict> | null,
  isHeld = false,
): SilentNode {
  return {
    alive: { since, ...alive },
    reason: 'reset',
    silentForMs,
    suspectedAfterMs: 3_000,
    downAfterMs: 13_000,
    findings: findings === null ? null : new Map(Object.entries(findings)),
    isHeld,
  };
}

const up = { status: 'up' } as const;
const suspected = { status: 'suspected', evidence: 'reset' } as const;
const down = { status: 'down', evidence: 'reset' } as const;

describe('judge()', () => {
  test.each<[string, SilentNode, Judgement | null]>([
    ['nothing before its time', silent(up, 2_999, { a: 'refused' }), null],
    ['nothing before it was probed', silent(up, 3_000, null), null],
    ['a suspicion of one without instances', silent(up, 3_000, {}), suspected],
    [
      'a suspicion with what is dead, and nothing of what answers',
      silent(up, 3_000, { a: 'answers', b: 'refused', c: 'silent', d: 'unseen' }),
      { ...suspected, dead: { b: 'refused', c: 'silent', d: 'unseen' } },
    ],
    [
      'a suspicion without what the server alone did not reach, while many vanish',
      silent(up, 3_000, { b: 'refused', c: 'silent', d: 'unseen' }, true),
      { ...suspected, dead: { b: 'refused', c: 'silent' } },
    ],
    ['nothing of a suspicion that stands', silent(suspected, 4_000, { a: 'answers' }), null],
    ['one that died later', silent(suspected, 4_000, { a: 'refused' }), { ...suspected, dead: { a: 'refused' } }],
    ['one that is reached again', silent({ ...suspected, dead: { a: 'silent' } }, 4_000, { a: 'answers' }), suspected],
    ['down after the grace', silent(suspected, 13_000, { a: 'refused' }), down],
    [
      'down only after it was suspected',
      silent(up, 13_000, { a: 'refused' }),
      { ...suspected, dead: { a: 'refused' } },
    ],
    [
      'down with what answers all the same',
      silent(suspected, 13_000, { a: 'refused', b: 'answers' }),
      { ...down, answering: ['b'] },
    ],
    ['nothing more than a suspicion while it is held', silent(suspected, 60_000, {}, true), null],
    [
      'down also while it is held when it was released',
      silent({ ...suspected, released: true }, 60_000, {}, true),
      down,
    ],
    [
      'a down node whose last instance stops answering',
      silent({ ...down, answering: ['a'] }, 0, { a: 'silent' }),
      down,
    ],
    [
      'nothing of an instance that answers after it was gone',
      silent({ ...down, answering: ['a'] }, 0, { a: 'answers', b: 'answers' }),
      null,
    ],
    ['nothing of one that left', silent({ status: 'left' }, 60_000, {}), null],
  ])('says %s', (_what, node, expected) => {
    expect(judge(node)).toEqual(expected);
  });

  const verdict = fc.constantFrom<Verdict>('answers', 'refused', 'silent', 'unseen');
  const findings = fc.dictionary(fc.constantFrom('a', 'b', 'c'), verdict);
  const status = fc.constantFrom<'up' | 'suspected'>('up', 'suspected');

  test('never loses an instance that answers; loses every other one at the grace at the latest, unless it is held', () => {
    fc.assert(
      fc.property(status, findings, fc.nat(30_000), fc.boolean(), (was, found, silentForMs, isHeld) => {
        const node = silent({ status: was, evidence: 'reset' }, silentForMs, found, isHeld);
        const said: AliveRecord = { since, ...(judge(node) ?? node.alive) };
        for (const [id, one] of Object.entries(found)) {
          if (one === 'answers') expect(isLost(said, id)).toBe(false);
          else if (was === 'suspected' && silentForMs >= 13_000 && !isHeld) expect(isLost(said, id)).toBe(true);
        }
        // What is said once is not said again.
        expect(judge({ ...node, alive: said, silentForMs: Math.min(silentForMs, 12_999) })).toBeNull();
      }),
    );
  });
});
