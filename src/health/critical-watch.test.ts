import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { CriticalWatch } from './critical-watch.ts';

const service = { serviceId: 'web', checkId: 'service:web' };

function startWatch(): { clock: FakeClock; watch: CriticalWatch; reports: string[] } {
  const clock = new FakeClock();
  const reports: string[] = [];
  const report = ({ serviceId, checkId }: typeof service): void =>
    void reports.push(`${clock.now()} ${serviceId} ${checkId}`);
  return { clock, watch: new CriticalWatch({ clock, leastMs: 60_000, report }), reports };
}

test('CriticalWatch reports a service that was critical all the time, and again each minute while it stays', async () => {
  const { clock, watch, reports } = startWatch();
  watch.note(service, 'critical', 90_000);
  await clock.advance(30_000);
  watch.note(service, 'critical', 90_000);
  await clock.advance(130_000);
  expect(reports).toEqual(['90000 web service:web', '150000 web service:web']);
});

test('CriticalWatch takes a minute for anything shorter', async () => {
  const { clock, watch, reports } = startWatch();
  watch.note(service, 'critical', 1_000);
  await clock.advance(60_000);
  expect(reports).toEqual(['60000 web service:web']);
});

test('CriticalWatch begins again when the check was well in between', async () => {
  const { clock, watch, reports } = startWatch();
  watch.note(service, 'critical', 60_000);
  await clock.advance(59_000);
  watch.note(service, 'passing', 60_000);
  watch.note(service, 'critical', 60_000);
  await clock.advance(59_000);
  expect(reports).toEqual([]);
  await clock.advance(1_000);
  expect(reports).toEqual(['119000 web service:web']);
});

test.each([
  ['a check without that time', service, 'critical', undefined],
  ['a check of the node', { serviceId: '', checkId: 'disk' }, 'critical', 60_000],
  ['a passing one', service, 'passing', 60_000],
  ['one without result', service, 'unknown', 60_000],
] as const)('CriticalWatch never reports %s', async (_what, which, status, afterMs) => {
  const { clock, watch } = startWatch();
  watch.note(which, status, afterMs);
  await clock.advance(600_000);
  expect(clock.pending).toBe(0);
});

test('CriticalWatch.forget() and close() end it', async () => {
  const { clock, watch, reports } = startWatch();
  watch.note(service, 'critical', 60_000);
  watch.forget('service:web');
  watch.note({ serviceId: 'b', checkId: 'b' }, 'critical', 60_000);
  watch.close();
  await clock.advance(600_000);
  expect(reports).toEqual([]);
});
