import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { linkClosed } from './errors.ts';
import type { Answered, Question } from './messages.ts';
import { QuestionDesk, QuestionHandlers } from './question-desk.ts';

interface Asked {
  readonly add: { readonly ask: { readonly a: number; readonly b: number }; readonly answer: number };
  readonly stay: { readonly ask: null; readonly answer: null };
}
interface None {
  readonly never: { readonly ask: null; readonly answer: null };
}

interface Pair {
  readonly clock: FakeClock;
  readonly handlers: QuestionHandlers<Asked>;
  readonly asking: QuestionDesk<Asked, None>;
  readonly answering: QuestionDesk<None, Asked>;
}

function pair(): Pair {
  const clock = new FakeClock();
  const handlers = new QuestionHandlers<Asked>();
  const crossing = (to: () => { receive(message: Question | Answered): void }) => (message: Question | Answered) =>
    queueMicrotask(() => to().receive(structuredClone(message)));
  const asking: Pair['asking'] = new QuestionDesk({
    peer: () => 'server s1',
    send: crossing(() => answering),
    handlers: new QuestionHandlers<None>(),
    clock,
  });
  const answering: Pair['answering'] = new QuestionDesk({
    peer: () => 'node n1',
    send: crossing(() => asking),
    handlers,
    clock,
  });
  return { clock, handlers, asking, answering };
}

describe('QuestionDesk', () => {
  test('QuestionDesk.ask() resolves with the other end’s answer, each with its own', async () => {
    const { asking, handlers } = pair();
    handlers.set('add', async ({ a, b }) => a + b);
    const sums = await Promise.all([1, 2, 3].map((a) => asking.ask('add', { a, b: 1 })));
    expect(sums).toEqual([2, 3, 4]);
  });

  test('QuestionDesk tells a handler who asks', async () => {
    const { asking, handlers } = pair();
    let from = '';
    handlers.set('stay', (_ask, context) => {
      ({ from } = context);
      return null;
    });
    await asking.ask('stay', null);
    expect(from).toBe('node n1');
  });

  test('QuestionDesk.ask() rejects with the other end’s error', async () => {
    const { asking, handlers } = pair();
    handlers.set('stay', () => {
      throw linkClosed('for this test');
    });
    handlers.set('add', () => {
      throw new Error('no sums today');
    });
    await expect(asking.ask('stay', null)).rejects.toMatchObject({
      code: 'LINK_CLOSED',
      status: 503,
      hint: expect.any(String),
    });
    await expect(asking.ask('add', { a: 1, b: 1 })).rejects.toMatchObject({
      code: 'LINK_FAILED',
      message: 'no sums today',
    });
  });

  test('QuestionDesk.ask() rejects for a kind that the other end does not know', async () => {
    const { asking } = pair();
    await expect(asking.ask('stay', null)).rejects.toMatchObject({ code: 'LINK_UNKNOWN_QUESTION', status: 501 });
  });

  test('QuestionDesk.ask() rejects when no answer comes in time, and drops one that comes late', async () => {
    const { asking, handlers, clock } = pair();
    const late = Promise.withResolvers<null>();
    handlers.set('stay', () => late.promise);
    const asked = asking.ask('stay', null, { timeoutMs: 500 });
    const rejected = expect(asked).rejects.toThrow('server s1 has not answered "stay" within 500 ms');
    await clock.advance(500);
    await rejected;
    late.resolve(null);
    await clock.advance(0);
    expect(clock.pending).toBe(0);
  });

  test('QuestionDesk.ask() rejects with the signal’s reason, before and while it waits', async () => {
    const { asking, handlers, clock } = pair();
    handlers.set('stay', () => new Promise(() => {}));
    const abort = new AbortController();
    const asked = asking.ask('stay', null, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    await expect(asking.ask('stay', null, { signal: abort.signal })).rejects.toThrow('enough');
    expect(clock.pending).toBe(0);
  });

  test('QuestionDesk.end() rejects what is open and what is asked later, and aborts what is worked on', async () => {
    const { asking, answering, handlers } = pair();
    let aborted = false;
    handlers.set('stay', (_ask, { signal }) => {
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => {});
    });
    const asked = asking.ask('stay', null);
    const rejected = expect(asked).rejects.toThrow('the link is closed: gone');
    await new Promise((resolve) => setImmediate(resolve));
    asking.end(linkClosed('gone'));
    answering.end(linkClosed('gone'));
    await rejected;
    expect(aborted).toBe(true);
    await expect(asking.ask('stay', null)).rejects.toThrow('gone');
  });

  test('QuestionDesk answers that it is busy when far too much is asked at once', async () => {
    const { asking, handlers } = pair();
    const gate = Promise.withResolvers<null>();
    handlers.set('stay', () => gate.promise);
    const asked = Array.from({ length: 1_030 }, () => asking.ask('stay', null).catch((error: unknown) => error));
    await new Promise((resolve) => setImmediate(resolve));
    gate.resolve(null);
    const busy = (await Promise.all(asked)).filter((one) => one !== null);
    expect(busy).toHaveLength(6);
    expect(busy[0]).toMatchObject({ code: 'LINK_BUSY' });
  });

  test('QuestionDesk drops answers that nobody waits for', () => {
    const { asking } = pair();
    expect(() => asking.receive({ type: 'answer', id: 99, answer: 1 })).not.toThrow();
    expect(() => asking.receive({ type: 'answer-error', id: 99, code: 'X', status: 500, message: '' })).not.toThrow();
  });
});
