import { expect, test } from 'vitest';
import { FakeClock, type ProcessResult } from '../lib/index.ts';
import { osServiceProbe } from './os-service-probe.ts';
import { scriptedRun } from './testing.ts';

const ask = async (answer: Partial<ProcessResult>) => {
  const run = scriptedRun(answer);
  const probe = osServiceProbe({ osService: 'ssh.service' }, { run, env: {}, clock: new FakeClock() });
  return { verdict: await probe(new AbortController().signal), run };
};

test.each<[Partial<ProcessResult>, string, string]>([
  [{ exitCode: 0, output: 'active\n' }, 'passing', 'OS service ssh.service: active'],
  [{ exitCode: 3, output: 'inactive\n' }, 'critical', 'OS service ssh.service: inactive'],
  [{ exitCode: 1, output: 'failed\n' }, 'critical', 'OS service ssh.service: failed'],
  [
    { ending: 'not-started', exitCode: null, error: new Error('spawn systemctl ENOENT') },
    'critical',
    'OS service ssh.service: spawn systemctl ENOENT',
  ],
])('osServiceProbe() of %j is %s', async (answer, status, output) => {
  const { verdict, run } = await ask(answer);
  expect(verdict).toMatchObject({ status, output });
  expect(run.runs[0]?.args).toEqual(['systemctl', 'is-active', '--', 'ssh.service']);
});
