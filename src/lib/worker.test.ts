import { once } from 'node:events';
import { expect, test } from 'vitest';
import { startWorker } from './worker.ts';

test('startWorker() names the thread by its role and hands it its data', async () => {
  const code = `import { parentPort, threadName, workerData } from 'node:worker_threads'; parentPort.postMessage([threadName, workerData]);`;
  const worker = startWorker('greeter', {
    module: new URL(`data:text/javascript,${code}`),
    workerData: { answer: 42 },
  });
  const [message] = (await once(worker, 'message')) as [unknown];
  expect(message).toEqual(['greeter', { answer: 42 }]);
  await once(worker, 'exit');
});
