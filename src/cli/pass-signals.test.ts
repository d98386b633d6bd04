import { expect, test } from 'vitest';
import type { SignalName } from './host.ts';
import { passSignals } from './pass-signals.ts';
import { FakeHost } from './testing.ts';

const NAMES: readonly SignalName[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT', 'SIGQUIT', 'SIGWINCH'];

test.each([
  [false, NAMES],
  [true, ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']],
])('passSignals() on a terminal: %j', (input, passed) => {
  const host = new FakeHost({ terminal: { input } });
  const seen: SignalName[] = [];
  const release = passSignals(host, (name) => seen.push(name));
  for (const name of NAMES) host.signal(name);
  expect(seen).toEqual(passed);
  // Those that are not passed on do not end it either.
  expect(NAMES.every((name) => host.handlers.get(name)?.size === 1)).toBe(true);
  release();
  expect(NAMES.every((name) => host.handlers.get(name)?.size === 0)).toBe(true);
});
