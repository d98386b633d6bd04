import { expect, test } from 'vitest';
import { KeyedQueue } from './keyed-queue.ts';

test('run() keeps the order of one key and lets other keys pass', async () => {
  const queue = new KeyedQueue();
  const log: string[] = [];
  const first = Promise.withResolvers<void>();
  const a1 = queue.run('a', async () => {
    await first.promise;
    log.push('a1');
  });
  const a2 = queue.run('a', async () => void log.push('a2'));
  await queue.run('b', async () => void log.push('b1'));
  expect(queue.size).toBe(1);
  first.resolve();
  await Promise.all([a1, a2]);
  expect(log).toEqual(['b1', 'a1', 'a2']);
});

test('run() goes on after a task failed, and forgets keys without tasks', async () => {
  const queue = new KeyedQueue();
  const failed = queue.run('a', () => Promise.reject(new Error('no')));
  const next = queue.run('a', () => Promise.resolve(7));
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe(7);
  await Promise.resolve();
  await Promise.resolve();
  expect(queue.size).toBe(0);
});
