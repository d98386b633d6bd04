import { describe, expect, test } from 'vitest';
import { Attention } from './attention.ts';

describe('Attention', () => {
  test('spends the time in which it looks', () => {
    const attention = new Attention(250, 1_000);
    for (let nowMs = 1_250; nowMs <= 3_000; nowMs += 250) attention.look(nowMs);
    expect([attention.spentMs, attention.factor]).toEqual([2_000, 1]);
  });

  test('does not count what it slept through, and is slower to accuse afterwards', () => {
    const attention = new Attention(250, 0);
    attention.look(60_000);
    expect([attention.spentMs, attention.factor]).toEqual([500, 2]);
  });

  test('is at most five times as slow, and calms down step by step', () => {
    const attention = new Attention(250, 0);
    let nowMs = 0;
    for (let late = 0; late < 10; late++) attention.look((nowMs += 1_000));
    expect(attention.factor).toBe(5);
    for (let calm = 0; calm < 40; calm++) attention.look((nowMs += 250));
    expect(attention.factor).toBe(4);
    for (let calm = 0; calm < 120; calm++) attention.look((nowMs += 250));
    expect(attention.factor).toBe(1);
  });

  test('looks as often as it wants, also at the same time', () => {
    const attention = new Attention(250, 0);
    for (const nowMs of [10, 10, 20, 250]) attention.look(nowMs);
    expect([attention.spentMs, attention.factor]).toEqual([250, 1]);
  });
});
