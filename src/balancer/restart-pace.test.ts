import { describe, expect, it } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { RestartPace } from './restart-pace.ts';

describe('RestartPace', () => {
  it('spaces starts ever wider, to 10 s at most', async () => {
    const clock = new FakeClock();
    const pace = new RestartPace(clock);
    const waits = [];
    for (let i = 0; i < 8; i++) {
      pace.check();
      pace.count();
      waits.push(pace.waitMs);
      await clock.advance(pace.waitMs);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
  });

  it('check() refuses a start that is too early', () => {
    const pace = new RestartPace(new FakeClock());
    pace.count();
    expect(() => pace.check()).toThrow('the next start is in 500 ms');
  });

  it('begins anew when the last one ran for long, or was stopped on purpose', async () => {
    const clock = new FakeClock();
    const pace = new RestartPace(clock);
    pace.count();
    pace.count();
    await clock.advance(30_000);
    pace.count();
    expect(pace.waitMs).toBe(500);
    pace.reset();
    expect(pace.waitMs).toBe(0);
  });
});
