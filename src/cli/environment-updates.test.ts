import { describe, expect, test } from 'vitest';
import type { WireEnvironment, WireEvent } from '../../client/src/index.ts';
import { FakeClock } from '../lib/index.ts';
import { environmentUpdates } from './environment-updates.ts';

const at = (revision: number): WireEnvironment => ({ service: 'www', node: 'n', revision, variables: [] });
const event = (type: string, id: number): WireEvent => ({ type, revision: id, id });
type Stream = readonly (WireEvent | number | Error)[];

/** Follows scripted streams of events (a number is a pause in ms, an Error a break); `now` answers each question. */
function follow(streams: readonly Stream[], now: () => WireEnvironment) {
  const clock = new FakeClock();
  const abort = new AbortController();
  const asked: (number | undefined)[] = [];
  const seen: number[] = [];
  let questions = 0;
  const client = {
    async *events({ after }: { after?: number } = {}) {
      asked.push(after);
      for (const one of streams[asked.length - 1] ?? [1_000_000]) {
        if (typeof one === 'number') await clock.sleep(one, abort.signal);
        else if (one instanceof Error) throw one;
        else yield one;
      }
    },
    environment: async () => {
      questions++;
      return now();
    },
  };
  const done = (async () => {
    const options = { client, service: 'www', node: {}, first: at(4), clock, signal: abort.signal };
    for await (const environment of environmentUpdates(options)) seen.push(environment.revision);
  })();
  return {
    clock,
    asked,
    seen,
    questions: () => questions,
    stop: () => (abort.abort(), clock.advance(2_000).then(() => done)),
  };
}

describe('environmentUpdates()', () => {
  test('gives the first, and again when something changed', async () => {
    const run = follow([[event('receipt', 4), event('change', 5), 1_000_000]], () => at(5));
    await run.clock.advance(500);
    expect(run.seen).toEqual([4, 5]);
    await run.stop();
    expect(run.asked).toEqual([4]);
  });

  test('asks once for a burst of changes', async () => {
    const burst = Array.from({ length: 1_000 }, (_, index) => event('change', 5 + index));
    const run = follow([[...burst, 300, event('change', 2_000), 1_000_000]], () => at(1));
    await run.clock.advance(1_000);
    expect(run.questions()).toBe(2);
    await run.stop();
  });

  test('goes on where it was when the stream breaks, asking once for what it missed', async () => {
    const run = follow([[event('change', 9), 300, new Error('cut')], [1_000_000]], () => at(9));
    await run.clock.advance(3_000);
    expect(run.asked).toEqual([4, 9]);
    expect(run.seen).toEqual([4, 9, 9]);
    await run.stop();
  });

  test('gives nothing while no agent answers, never what was before', async () => {
    let answers = false;
    const broken: Stream = [new Error('away')];
    const run = follow([broken, broken, broken, broken], () => {
      if (!answers) throw new Error('away');
      return at(12);
    });
    await run.clock.advance(2_500);
    expect(run.seen).toEqual([4]);
    answers = true;
    await run.clock.advance(1_000);
    expect(run.seen).toEqual([4, 12]);
    await run.stop();
  });
});
