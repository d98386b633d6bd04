import { expect, test } from 'vitest';
import { identifyProcess, isAlive, processAgeMs, processStartedAt } from './process-identity.ts';

const self = identifyProcess(process.pid);

test.runIf(process.platform === 'linux')('identifyProcess() tells one process from others', () => {
  expect(self).toMatchObject({ pid: process.pid });
  expect(self?.startTicks).toBeGreaterThan(0);
  expect(self?.boot).toMatch(/^[0-9a-f-]{36}$/);
  expect(identifyProcess(2 ** 30)).toBeNull();
});

test.runIf(process.platform === 'linux')(
  'isAlive() is false for a pid that is used again or was of another boot',
  () => {
    if (self === null) throw new Error('this process is not there');
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, startTicks: self.startTicks - 1 })).toBe(false);
    expect(isAlive({ ...self, boot: 'another' })).toBe(false);
  },
);

test.runIf(process.platform === 'linux')('processStartedAt() is in the past, to about a second', () => {
  const startedAt = processStartedAt(process.pid) ?? 0;
  const expected = Date.now() - process.uptime() * 1_000;
  expect(Math.abs(startedAt - expected)).toBeLessThan(3_000);
  expect(processStartedAt(2 ** 30)).toBeNull();
});

test.runIf(process.platform === 'linux')('processAgeMs() tells how long a process has run', () => {
  if (self === null) throw new Error('this process is not there');
  expect(Math.abs((processAgeMs(self) ?? 0) - process.uptime() * 1_000)).toBeLessThan(3_000);
  expect(processAgeMs({ ...self, startTicks: self.startTicks - 1 })).toBeNull();
});
