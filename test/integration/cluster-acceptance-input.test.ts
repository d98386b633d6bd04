import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { FreePorts } from '../cluster/free-ports.ts';
import { GuardedProcess } from '../cluster/guarded-process.ts';
import { until } from '../cluster/until.ts';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');

test('a server whose etcd is nowhere says what it waits for, and ends as soon as it is told', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'drover-input-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const nowhere = `127.0.0.1:${await new FreePorts().next('127.0.0.1')}`;
  const words = ['agent', '--server', '--store', `etcd://${nowhere}`, '--data-dir', folder, '--http-port', '0'];
  const agent = stack.use(
    GuardedProcess.start({ program: DROVER, words: [...words, '--dns-port', '0', '--node', 'one'], cwd: folder }),
  );
  await until(
    () => agent.said.includes('waiting for the store'),
    30_000,
    () => agent.said,
  );
  expect(agent.said).toContain(nowhere);
  agent.signal('SIGTERM');
  await until(
    () => !agent.running,
    10_000,
    () => agent.said,
  );
});
