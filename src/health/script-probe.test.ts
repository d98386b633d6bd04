import { expect, test } from 'vitest';
import { FakeClock, type ProcessResult } from '../lib/index.ts';
import { scriptProbe } from './script-probe.ts';
import { scriptedRun } from './testing.ts';

const signal = new AbortController().signal;
const clock = new FakeClock();
const env = { PATH: '/bin' };

test.each<[Partial<ProcessResult>, string | null, string]>([
  [{ exitCode: 0, output: 'OK' }, 'passing', 'OK'],
  [{ exitCode: 1, output: 'WARNING' }, 'warning', 'WARNING'],
  [{ exitCode: 2, output: 'CRITICAL' }, 'critical', 'CRITICAL'],
  [{ exitCode: 3 }, 'critical', ''],
  [{ exitCode: null, signal: 'SIGSEGV' }, 'critical', ''],
  [{ ending: 'timeout', exitCode: null }, 'critical', 'Timed out (30s) running check'],
  [{ ending: 'timeout', output: 'so far' }, 'critical', 'Timed out (30s) running check: so far'],
  [
    { ending: 'not-started', error: Object.assign(new Error('spawn x ENOENT'), { code: 'ENOENT' }) },
    'critical',
    'ENOENT',
  ],
  [{ ending: 'not-started', error: Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' }) }, null, 'EAGAIN'],
  [{ ending: 'aborted' }, null, ''],
  [{ output: 'x', outputBytes: 9_999 }, 'passing', 'Captured 4096 of 9999 bytes\n...\nx'],
])('scriptProbe() of a process that ended as %j is %s', async (result, status, output) => {
  const probe = scriptProbe({ args: ['check'] }, { run: scriptedRun(result), env, clock });
  const verdict = await probe(signal);
  expect(verdict.status).toBe(status);
  expect(verdict.output).toContain(output);
});

test('scriptProbe() runs args as they are and a script by the shell, within their limits', async () => {
  const run = scriptedRun({});
  await scriptProbe({ args: ['check_disk', '-w', '$HOME'] }, { run, env, clock })(signal);
  await scriptProbe(
    { script: 'curl -s http://a | grep x', timeoutMs: 5_000, outputMaxSize: 10 },
    { run, env, clock },
  )(signal);
  expect(run.runs[0]).toMatchObject({
    args: ['check_disk', '-w', '$HOME'],
    timeoutMs: 30_000,
    outputLimit: 4_096,
    env,
  });
  expect(run.runs[1]).toMatchObject({ shell: 'curl -s http://a | grep x', timeoutMs: 5_000, outputLimit: 10 });
});
