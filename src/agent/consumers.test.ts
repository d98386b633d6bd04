import { expect, test } from 'vitest';
import type { Consumer } from '../change/index.ts';
import type { NodeView } from '../registry/index.ts';
import { Consumers } from './consumers.ts';

const viewAt = (revision: number): NodeView => ({ revision }) as NodeView;

function recorder(kind: Consumer['kind'], seen: string[], gate?: Promise<void>): Consumer {
  return {
    kind,
    async offer(view) {
      seen.push(`${kind} begins r${view.revision}`);
      await gate;
      seen.push(`${kind} ends r${view.revision}`);
    },
    async [Symbol.asyncDispose]() {
      seen.push(`${kind} disposed`);
    },
  };
}

test('offer() hands a view to the consumers one after the other', async () => {
  const seen: string[] = [];
  const consumers = new Consumers([recorder('environment', seen), recorder('listener', seen)], () => undefined);
  consumers.offer(viewAt(1));
  await consumers.settled();
  expect(seen).toEqual(['environment begins r1', 'environment ends r1', 'listener begins r1', 'listener ends r1']);
});

test('offer() keeps only the newest view while one is being taken up', async () => {
  const seen: string[] = [];
  const gate = Promise.withResolvers<void>();
  const consumers = new Consumers([recorder('balancer', seen, gate.promise)], () => undefined);
  for (const revision of [1, 2, 3, 4]) consumers.offer(viewAt(revision));
  gate.resolve();
  await consumers.settled();
  expect(seen).toEqual(['balancer begins r1', 'balancer ends r1', 'balancer begins r4', 'balancer ends r4']);
});

test('offer() goes on to the next consumer when one throws', async () => {
  const seen: string[] = [];
  const broken: Consumer = {
    kind: 'environment',
    offer: () => Promise.reject(new Error('broken')),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const failures: string[] = [];
  const consumers = new Consumers([broken, recorder('listener', seen)], (consumer) => failures.push(consumer.kind));
  consumers.offer(viewAt(1));
  await consumers.settled();
  expect(failures).toEqual(['environment']);
  expect(seen).toContain('listener ends r1');
});

test('disposing stops the consumers in reverse and takes no more views', async () => {
  const seen: string[] = [];
  const consumers = new Consumers([recorder('environment', seen), recorder('listener', seen)], () => undefined);
  await consumers[Symbol.asyncDispose]();
  consumers.offer(viewAt(1));
  await consumers.settled();
  expect(seen).toEqual(['listener disposed', 'environment disposed']);
});
