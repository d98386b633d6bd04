import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import type { Rendered } from './render.ts';
import { SharedAnswers, type RegionsAnswer } from './shared-answers.ts';

const question = { packet: Buffer.of(1), transport: 'udp', maxBytes: null, client: '' } as const;
const rendered = (rcode: number): Rendered => ({ rcode }) as Rendered;
const answer = (topics: readonly string[], ...rcodes: number[]): RegionsAnswer => ({
  packet: Buffer.of(2),
  rendered: rcodes.map(rendered),
  topics,
});

function start(most = 100) {
  const clock = new FakeClock();
  const open: PromiseWithResolvers<RegionsAnswer>[] = [];
  const ask = (): Promise<RegionsAnswer> => {
    const one = Promise.withResolvers<RegionsAnswer>();
    open.push(one);
    return one.promise;
  };
  const answers = new SharedAnswers({ ask, clock, most });
  const keep = async (key: string, topics: readonly string[], ...rcodes: number[]): Promise<void> => {
    const asking = answers.ask(key, question);
    open.at(-1)?.resolve(answer(topics, ...rcodes));
    await asking;
  };
  return { clock, answers, open, keep };
}

test('SharedAnswers asks once for all who ask the same at a time', async () => {
  const { answers, open } = start();
  const asked = [answers.ask('a', question), answers.ask('a', question)];
  open[0]?.resolve(answer(['svc/web'], 0));
  expect(await Promise.all(asked)).toHaveLength(2);
  expect(open).toHaveLength(1);
});

test('SharedAnswers gives the orders of an answer in turn', async () => {
  const { answers, keep } = start();
  await keep('a', ['svc/web'], 1, 2);
  expect([1, 2, 3].map(() => answers.get('a')?.rendered.rcode)).toEqual([1, 2, 1]);
});

test('SharedAnswers takes no answer for good that was under way when something was said to be stale', async () => {
  const { answers, open } = start();
  const asking = answers.ask('a', question);
  answers.stale(['svc/web']);
  open[0]?.resolve(answer(['svc/web'], 0));
  await asking;
  expect(answers.get('a')?.isGood).toBe(false);
});

test('SharedAnswers keeps what nobody vouches for, for need only', async () => {
  const { answers, keep } = start();
  await keep('a', [], 0);
  expect(answers.get('a')?.isGood).toBe(false);
});

test('SharedAnswers asks anew for what is in use, and forgets the rest', async () => {
  const { answers, clock, keep, open } = start();
  await keep('a', ['svc/web'], 0);
  await clock.advance(61_000);
  await keep('b', ['svc/web', 'node/n'], 0);
  await keep('c', ['svc/db'], 0);
  const before = open.length;
  answers.stale(['svc/web']);
  expect(open.length - before).toBe(1);
  expect([answers.get('a'), answers.get('b')]).toEqual([undefined, undefined]);
  expect(answers.get('c')?.isGood).toBe(true);
  answers.stale(['*']);
  expect(answers.size).toBe(0);
});

test('SharedAnswers holds no more than it may', async () => {
  const { answers, keep } = start(3);
  for (const key of ['a', 'b', 'c', 'd', 'e']) await keep(key, [`svc/${key}`], 0);
  expect(answers.size).toBe(3);
  expect(answers.get('e')?.isGood).toBe(true);
});

test('SharedAnswers gives null when nobody can be asked, and asks again', async () => {
  const { answers, open } = start();
  const asking = answers.ask('a', question);
  open[0]?.reject(new Error('cut off'));
  expect(await asking).toBeNull();
  void answers.ask('a', question);
  expect(open).toHaveLength(2);
});
