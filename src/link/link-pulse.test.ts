import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { LinkPulse, type Beating } from './link-pulse.ts';

class End implements Beating {
  bytesRead = 0;
  bytesSent = 0;
  beats = 0;
  silentMs: number | null = null;
  quiets = 0;

  beat(): void {
    this.beats++;
  }

  quiet(): void {
    this.quiets++;
  }

  silent(forMs: number): void {
    this.silentMs ??= forMs;
  }
}

function start(ends: number): { clock: FakeClock; pulse: LinkPulse; ends: End[] } {
  const clock = new FakeClock();
  const pulse = new LinkPulse({ clock, timing: { heartbeatMs: 1_000, suspectedAfterMs: 3_000 } });
  const all = Array.from({ length: ends }, () => new End());
  for (const end of all) pulse.add(end);
  return { clock, pulse, ends: all };
}

describe('LinkPulse', () => {
  test('LinkPulse beats twice in the longest silence, for all ends with one timer', async () => {
    const { clock, ends } = start(600);
    expect(clock.pending).toBe(1);
    for (let seconds = 0; seconds < 10; seconds++) {
      for (const end of ends) end.bytesRead++;
      await clock.advance(1_000);
    }
    expect(new Set(ends.map(({ beats }) => beats))).toEqual(new Set([6]));
    expect(ends.every(({ silentMs }) => silentMs === null)).toBe(true);
  });

  test('LinkPulse lets no more than half of the longest silence pass, and a look, after whatever was sent last', async () => {
    for (let sentAtMs = 0; sentAtMs < 1_500; sentAtMs += 100) {
      const { clock, ends } = start(1);
      const [end] = ends as [End];
      await clock.advance(1_500);
      end.bytesRead++;
      await clock.advance(sentAtMs);
      end.bytesSent += 10;
      const before = end.beats;
      let silentForMs = 0;
      for (; end.beats === before && silentForMs < 3_000; silentForMs += 100) await clock.advance(100);
      expect(silentForMs, `sent ${sentAtMs} ms after a sign of life`).toBeLessThanOrEqual(1_600);
      expect(silentForMs).toBeGreaterThan(900);
    }
  });

  test('LinkPulse says once in each silence that a sign of life is late, a heartbeat before the time is over', async () => {
    const { clock, ends } = start(1);
    const [end] = ends as [End];
    for (const silences of [1, 2]) {
      end.bytesRead++;
      await clock.advance(2_900);
      expect([end.quiets, end.silentMs]).toEqual([silences, null]);
    }
    end.bytesRead++;
    // As often as an end that is well speaks when it has nothing to say.
    for (let beats = 0; beats < 20; beats++) {
      await clock.advance(1_500);
      end.bytesRead++;
    }
    expect(end.quiets).toBe(2);
  });

  test('LinkPulse says who is silent, soon after the time is over', async () => {
    const { clock, ends } = start(2);
    const [quiet, alive] = ends as [End, End];
    quiet.bytesRead = 7;
    for (let half = 0; half < 8; half++) {
      alive.bytesRead++;
      await clock.advance(500);
      if (half < 6) expect(quiet.silentMs).toBeNull();
    }
    expect(quiet.silentMs).toBeGreaterThanOrEqual(3_000);
    expect(quiet.silentMs).toBeLessThanOrEqual(3_500);
    expect(alive.silentMs).toBeNull();
  });

  test('LinkPulse does not take its own standing still for the silence of others', async () => {
    let stoodStillMs = 0;
    class StandingClock extends FakeClock {
      override now(): number {
        return super.now() + stoodStillMs;
      }
    }
    const clock = new StandingClock();
    const pulse = new LinkPulse({ clock, timing: { heartbeatMs: 1_000, suspectedAfterMs: 3_000 } });
    const end = new End();
    pulse.add(end);
    await clock.advance(1_000);
    stoodStillMs = 60_000;
    await clock.advance(1_000);
    expect(end.silentMs).toBeNull();
    await clock.advance(3_000);
    expect(end.silentMs).not.toBeNull();
  });

  test('LinkPulse has no timer without ends, and begins again with the next', async () => {
    const { clock, pulse, ends } = start(1);
    const [end] = ends as [End];
    pulse.remove(end);
    expect(clock.pending).toBe(0);
    pulse.add(end);
    await clock.advance(1_500);
    expect(end.beats).toBe(1);
    pulse[Symbol.dispose]();
    expect(clock.pending).toBe(0);
  });
});
