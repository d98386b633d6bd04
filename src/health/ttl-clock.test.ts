import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { TtlClock } from './ttl-clock.ts';

function startTtl(ttlMs: number): { clock: FakeClock; ttl: TtlClock; seen: string[] } {
  const clock = new FakeClock();
  const seen: string[] = [];
  const ttl = new TtlClock({
    definition: { ttlMs },
    clock,
    observe: ({ status, output }) => seen.push(`${clock.now()} ${status} ${output}`),
  });
  return { clock, ttl, seen };
}

test('TtlClock turns critical at expiry when nobody ever set it', async () => {
  const { clock, seen } = startTtl(10_000);
  await clock.advance(60_000);
  expect(seen).toEqual(['10000 critical TTL expired']);
});

test('TtlClock.update() restarts the clock, also with a critical status', async () => {
  const { clock, ttl, seen } = startTtl(10_000);
  await clock.advance(9_000);
  ttl.update('passing', 'fine');
  await clock.advance(9_000);
  ttl.update('critical', 'not fine');
  await clock.advance(9_999);
  expect(seen).toEqual(['9000 passing fine', '18000 critical not fine']);
  await clock.advance(1);
  expect(seen[2]).toBe('28000 critical TTL expired (last output before timeout follows): not fine');
});

test('TtlClock.update() brings an expired check back', async () => {
  const { clock, ttl, seen } = startTtl(1_000);
  await clock.advance(5_000);
  ttl.update('warning', '');
  await clock.advance(1_000);
  expect(seen).toEqual(['1000 critical TTL expired', '5000 warning ', '6000 critical TTL expired']);
});

test('TtlClock.stop() says nothing any more', async () => {
  const { clock, ttl, seen } = startTtl(1_000);
  await ttl.stop();
  await clock.advance(5_000);
  expect(seen).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('TtlClock keeps its own words within the limit when the last output was long', async () => {
  const { clock, ttl, seen } = startTtl(1_000);
  ttl.update('passing', 'x'.repeat(10_000));
  await clock.advance(1_000);
  expect(seen[1]).toMatch(/^1000 critical TTL expired \(last output before timeout follows\): .*\n\.\.\.\nx+$/);
  expect(seen[1]?.length).toBeLessThanOrEqual('1000 critical '.length + 4_096);
});
