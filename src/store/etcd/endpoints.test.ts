import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Endpoints } from './endpoints.ts';

const THREE = ['a:1', 'b:1', 'c:1'];
/** With this the order stays as it is, and pauses are the longest. */
const ALMOST_ONE = (): number => 0.999_999;

function chosen(endpoints: Endpoints, nowMs: number, needsLeader = true): string | number {
  const choice = endpoints.choose(nowMs, needsLeader);
  return 'endpoint' in choice ? choice.endpoint : Math.round(choice.waitMs);
}

describe('Endpoints', () => {
  test('begins with any of them, by chance', () => {
    const first = new Set([0, 0.3, 0.6, 0.9].map((number) => new Endpoints(THREE, () => number).current));
    expect(first.size).toBeGreaterThan(1);
  });

  test('stays with the same while it does, goes on to the next when it fails, and stays there', () => {
    const endpoints = new Endpoints(THREE, ALMOST_ONE);
    expect(chosen(endpoints, 0)).toBe('a:1');
    expect(chosen(endpoints, 9)).toBe('a:1');
    endpoints.failed('a:1', 'down', 10);
    expect(chosen(endpoints, 10)).toBe('b:1');
    expect(chosen(endpoints, 100_000)).toBe('b:1');
  });

  test('waits when all have failed, doubling up to 2 s, and begins anew after an answer', () => {
    const endpoints = new Endpoints(['a:1'], ALMOST_ONE);
    const waits: (string | number)[] = [];
    let nowMs = 0;
    for (let round = 0; round < 8; round++) {
      endpoints.failed('a:1', 'down', nowMs);
      waits.push(chosen(endpoints, nowMs));
      nowMs += 10_000;
    }
    expect(waits).toEqual([50, 100, 200, 400, 800, 1600, 2000, 2000]);
    endpoints.answered('a:1', true);
    endpoints.failed('a:1', 'down', nowMs);
    expect(chosen(endpoints, nowMs)).toBe(50);
  });

  test('counts calls that fail together once', () => {
    const endpoints = new Endpoints(['a:1'], ALMOST_ONE);
    for (let call = 0; call < 64; call++) endpoints.failed('a:1', 'down', 0);
    expect(chosen(endpoints, 0)).toBe(50);
  });

  test('takes a member without a leader for serializable reads only', () => {
    const endpoints = new Endpoints(['a:1'], ALMOST_ONE);
    endpoints.failed('a:1', 'leaderless', 0);
    expect(chosen(endpoints, 0, false)).toBe('a:1');
    expect(chosen(endpoints, 0, true)).toBe(50);
    endpoints.answered('a:1', false);
    expect(chosen(endpoints, 0, true)).toBe(50);
    endpoints.answered('a:1', true);
    expect(chosen(endpoints, 0, true)).toBe('a:1');
  });

  test('learn() adds members, forgets those that are gone, and keeps the configured ones', () => {
    const endpoints = new Endpoints(['a:1'], ALMOST_ONE);
    endpoints.learn(['b:1', 'c:1']);
    expect(endpoints.all).toEqual(['a:1', 'b:1', 'c:1']);
    endpoints.failed('a:1', 'down', 0);
    expect(chosen(endpoints, 0)).toBe('b:1');
    endpoints.learn(['c:1', 'd:1']);
    expect(endpoints.all).toEqual(['a:1', 'c:1', 'd:1']);
    expect(chosen(endpoints, 0)).toBe('c:1');
    endpoints.failed('x:1', 'down', 0);
    expect(endpoints.all).not.toContain('x:1');
  });

  test('refuses to be made of none', () => {
    expect(() => new Endpoints([], ALMOST_ONE)).toThrow(RangeError);
  });

  test('always gives a member that may be asked, or a wait after which there is one', () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant('failed' as const), at: fc.nat(3), leaderless: fc.boolean() }),
      fc.record({ type: fc.constant('answered' as const), at: fc.nat(3), leader: fc.boolean() }),
      fc.record({ type: fc.constant('learn' as const), known: fc.subarray(['a:1', 'b:1', 'c:1', 'd:1']) }),
      fc.record({ type: fc.constant('later' as const), ms: fc.nat(3000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.boolean(), (steps, needsLeader) => {
        const endpoints = new Endpoints(['a:1', 'b:1'], () => 0.5);
        let nowMs = 0;
        for (const one of steps) {
          const target = 'at' in one ? (['a:1', 'b:1', 'c:1', 'd:1'][one.at] as string) : '';
          if (one.type === 'failed') endpoints.failed(target, one.leaderless ? 'leaderless' : 'down', nowMs);
          else if (one.type === 'answered') endpoints.answered(target, one.leader);
          else if (one.type === 'learn') endpoints.learn(one.known);
          else nowMs += one.ms;
        }
        const choice = endpoints.choose(nowMs, needsLeader);
        if ('endpoint' in choice) return endpoints.all.includes(choice.endpoint);
        const later = endpoints.choose(nowMs + choice.waitMs, needsLeader);
        return choice.waitMs > 0 && choice.waitMs <= 2000 && 'endpoint' in later;
      }),
      { numRuns: 200 },
    );
  });
});
