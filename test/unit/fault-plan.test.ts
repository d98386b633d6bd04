import { describe, expect, test } from 'vitest';
import { Findings } from '../cluster/faults/invariants.ts';
import { FAULTS, planFaults, type PlanOptions } from '../cluster/faults/plan.ts';
import { Seeded } from '../cluster/faults/seeded.ts';

function plan(seed: number, more: Partial<PlanOptions> = {}) {
  const random = new Seeded(seed);
  return planFaults({ random, durationMs: 120_000, servers: 3, members: 3, agents: 3, mortalAgents: [2], ...more });
}

describe('planFaults()', () => {
  test('gives the same for the same seed, and else for another', () => {
    expect(plan(1)).toEqual(plan(1));
    expect(plan(1)).not.toEqual(plan(2));
  });

  test('does every kind within two minutes', () => {
    for (let seed = 1; seed <= 20; seed++) expect(new Set(plan(seed).map(({ kind }) => kind)).size).toBe(FAULTS.length);
  });

  test('ends within its time, and kills no agent that is to live', () => {
    for (const { kind, target, atMs, forMs } of [1, 2, 3].flatMap((seed) => plan(seed))) {
      expect(atMs + forMs).toBeLessThanOrEqual(120_000);
      expect(forMs).toBeGreaterThan(0);
      expect(target).toBeLessThan(3);
      if (kind === 'kill-agent') expect(target).toBe(2);
    }
  });

  test('does only what it is told', () => {
    expect(new Set(plan(1, { only: ['compact', 'kill-server'] }).map(({ kind }) => kind))).toEqual(
      new Set(['compact', 'kill-server']),
    );
  });

  test('breaks at most two parties at once, of different kinds', () => {
    for (const one of plan(3)) {
      const beside = plan(3).filter(({ atMs, forMs }) => atMs < one.atMs + one.forMs && one.atMs < atMs + forMs);
      expect(beside.length).toBeLessThanOrEqual(2);
    }
  });
});

describe('Seeded', () => {
  test('below() is even enough', () => {
    const random = new Seeded(7);
    const counts = [0, 0, 0, 0];
    for (let index = 0; index < 4_000; index++) counts[random.below(4)]!++;
    for (const count of counts) expect(count).toBeGreaterThan(850);
  });

  test('shuffled() keeps what there is', () => {
    expect(new Seeded(1).shuffled([1, 2, 3, 4]).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
  });
});

describe('Findings', () => {
  test('expect() counts every look, and keeps what did not hold', () => {
    const findings = new Findings(() => ['compact']);
    findings.expect(3, true, () => 'well');
    findings.expect(3, false, () => 'broken');
    expect(findings.count(3)).toBe(2);
    expect(findings.count(4)).toBe(0);
    expect(findings.all).toMatchObject([{ invariant: 3, text: 'broken', during: ['compact'] }]);
  });
});
