import { expect, test } from 'vitest';
import { FakeClock, Slots } from '../lib/index.ts';
import { ProbeLoop, type ProbeLoopOptions } from './probe-loop.ts';
import type { Probe, Verdict } from './verdict.ts';

const passing: Verdict = { status: 'passing', output: 'ok' };

function startLoop(part: Partial<ProbeLoopOptions> & { probe: Probe; clock: FakeClock }): {
  loop: ProbeLoop;
  seen: string[];
} {
  const seen: string[] = [];
  const loop = new ProbeLoop({
    definition: { intervalMs: 10_000 },
    status: 'unknown',
    observe: ({ status, output }) => seen.push(`${part.clock.now()} ${status} ${output}`),
    random: () => 0,
    count: 1,
    ...part,
  });
  return { loop, seen };
}

/** A probe that takes this long, and ends when aborted. */
function slowProbe(clock: FakeClock, tookMs: number, runs: number[]): Probe {
  return async (signal) => {
    runs.push(clock.now());
    await clock.sleep(tookMs, signal).catch(() => {});
    return passing;
  };
}

test('ProbeLoop runs at once and then at each interval', async () => {
  const clock = new FakeClock();
  const { loop, seen } = startLoop({ clock, probe: async () => passing });
  await clock.advance(25_000);
  expect(seen).toEqual(['0 passing ok', '10000 passing ok', '20000 passing ok']);
  await loop.stop();
  expect(clock.pending).toBe(0);
});

test('ProbeLoop runs a check with a tiny interval at once, then each second', async () => {
  const clock = new FakeClock();
  const runs: number[] = [];
  startLoop({
    clock,
    probe: slowProbe(clock, 0, runs),
    definition: { intervalMs: 10 },
    random: () => 0.5,
    count: 1_000,
  });
  await clock.advance(3_000);
  expect(runs[0]).toBe(5);
  expect(runs.length).toBeLessThanOrEqual(4);
});

test('ProbeLoop never runs a check twice at once, and leaves out the turns it missed', async () => {
  const clock = new FakeClock();
  const runs: number[] = [];
  startLoop({ clock, probe: slowProbe(clock, 25_000, runs) });
  await clock.advance(70_000);
  expect(runs).toEqual([0, 30_000, 60_000]);
});

test('ProbeLoop waits for what the kernel has not let go', async () => {
  const clock = new FakeClock();
  let letGo = (): void => {};
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  let runs = 0;
  const { loop, seen } = startLoop({
    clock,
    probe: async () => ({ status: 'critical', output: `run ${++runs}`, gone }),
  });
  await clock.advance(60_000);
  expect(seen).toEqual(['0 critical run 1']);
  letGo();
  await clock.advance(10_000);
  expect(runs).toBeGreaterThan(1);
  await loop.stop();
});

test('ProbeLoop.stop() does not wait for what the kernel never lets go', async () => {
  const clock = new FakeClock();
  const gone = new Promise<void>(() => {});
  const { loop } = startLoop({ clock, probe: async () => ({ status: 'critical', output: '', gone }) });
  await clock.advance(100);
  await loop.stop();
});

test('ProbeLoop.stop() aborts what runs, waits for it and says nothing of it', async () => {
  const clock = new FakeClock();
  const runs: number[] = [];
  const { loop, seen } = startLoop({ clock, probe: slowProbe(clock, 25_000, runs) });
  await clock.advance(100);
  await loop.stop();
  expect(runs).toEqual([0]);
  expect(seen).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('ProbeLoop keeps the status while the agent itself could not look, three times', async () => {
  const clock = new FakeClock();
  const none: Verdict = { status: null, output: 'EMFILE' };
  const answers = [passing, none, none, none, passing, none, none, none, none];
  const { seen } = startLoop({ clock, probe: async () => answers.shift() ?? none });
  await clock.advance(85_000);
  expect(seen.map((line) => line.split(' ')[1]?.[0]).join('')).toBe('ppppppppc');
  expect(seen[1]).toBe('10000 passing EMFILE');
});

test('ProbeLoop goes on when a probe throws', async () => {
  const clock = new FakeClock();
  let runs = 0;
  const probe: Probe = async () => {
    if (++runs === 1) throw new Error('a bug');
    return passing;
  };
  const { seen } = startLoop({ clock, probe });
  await clock.advance(15_000);
  expect(seen).toEqual(['0 unknown check did not run: a bug', '10000 passing ok']);
});

test('ProbeLoop waits for a slot, and gives it back when its check takes long', async () => {
  const clock = new FakeClock();
  const runs: number[] = [];
  const slots = new Slots(1);
  startLoop({ clock, slots, probe: slowProbe(clock, 30_000, runs) });
  const { seen } = startLoop({ clock, slots, probe: async () => passing });
  await clock.advance(1_999);
  expect(seen).toEqual([]);
  await clock.advance(1);
  expect(seen).toEqual(['2000 passing ok']);
});
