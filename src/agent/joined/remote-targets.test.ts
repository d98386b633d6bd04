import { expect, test } from 'vitest';
import type { ApiAnswer } from '../../event/index.ts';
import { FakeClock } from '../../lib/index.ts';
import { RemoteTargets } from './remote-targets.ts';

const HERE = { node: 'n2', serviceId: 'db' };
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const check = (CheckID: string, ServiceID: string, Status: string): object => ({
  CheckID,
  ServiceID,
  Status,
  Name: CheckID,
  Output: '',
  Type: 'tcp',
});

/** A region that a test changes; what waits is answered when it does. */
function start() {
  const clock = new FakeClock();
  const region = { checks: [] as object[], services: ['db'] as string[] | null, isThere: true };
  const waiting: (() => void)[] = [];
  const asked: string[] = [];
  const ask = async (path: string, signal: AbortSignal): Promise<ApiAnswer> => {
    asked.push(path);
    if (!region.isThere) throw new Error('cut off');
    if (path.includes('index='))
      await new Promise<void>((resolve, reject) => {
        waiting.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    const services = region.services && { Services: Object.fromEntries(region.services.map((id) => [id, {}])) };
    const body = path.startsWith('/v1/health/') ? region.checks : services;
    return { status: 200, body: JSON.stringify(body), index: '7', revision: null };
  };
  const change = async (to: Partial<typeof region>): Promise<void> => {
    Object.assign(region, to);
    for (const resolve of waiting.splice(0)) resolve();
    await turns();
  };
  const targets = new RemoteTargets({ ask, retryMs: 1_000, clock });
  let heard = 0;
  const stop = targets.onChange(HERE, () => heard++);
  const seen = (): string[] | null => targets.checksOf(HERE)?.map(({ id, status }) => `${id} ${status}`) ?? null;
  return { clock, region, change, targets, seen, stop, asked, heard: () => heard };
}

test('RemoteTargets knows nothing of a target before it was asked for, and follows it then', async () => {
  const { seen, change, heard } = start();
  expect(seen()).toEqual([' unknown']);
  await turns();
  expect(seen()).toEqual([]);
  await change({
    checks: [check('alive', '', 'passing'), check('up', 'db', 'critical'), check('other', 'web', 'critical')],
  });
  expect(seen()).toEqual(['alive passing', 'up critical']);
  expect(heard()).toBe(2);
});

test.each([
  ['the node', { services: null }],
  ['the service', { services: ['web'] }],
])('RemoteTargets says when %s is gone', async (_what, gone) => {
  const { seen, change } = start();
  await turns();
  await change(gone);
  expect(seen()).toBeNull();
});

test('RemoteTargets stays as it was while nobody can be asked, and asks again', async () => {
  const { seen, change, clock } = start();
  await turns();
  await change({ checks: [check('up', 'db', 'passing')] });
  await change({ isThere: false });
  await clock.advance(1_000);
  await turns();
  expect(seen()).toEqual(['up passing']);
  await change({ isThere: true, checks: [check('up', 'db', 'warning')] });
  await clock.advance(1_000);
  await turns();
  expect(seen()).toEqual(['up warning']);
});

test('RemoteTargets asks no more when nobody follows a node', async () => {
  const { asked, stop, change, targets } = start();
  await turns();
  stop();
  const before = asked.length;
  await change({ checks: [] });
  expect(asked.length).toBe(before);
  expect(targets.checksOf(HERE)?.[0]?.status).toBe('unknown');
});
