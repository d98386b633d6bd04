import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { RunningSet } from './running-set.ts';

interface Definition {
  readonly name: string;
  readonly version: number;
}

const STOP_MS = 5_000;

/** What runs takes its time to stop, as a watch does whose handler hangs. */
function slowSet(clock: FakeClock) {
  const events: string[] = [];
  const set = new RunningSet<Definition>({
    identityOf: ({ name }) => name,
    start: ({ name, version }) => {
      events.push(`start ${name}${version}`);
      return Promise.resolve({
        async [Symbol.asyncDispose]() {
          await clock.sleep(STOP_MS);
          events.push(`stopped ${name}${version}`);
        },
      });
    },
    keepOnly: (identities) => {
      events.push(`keep ${[...identities].join()}`);
      return Promise.resolve();
    },
  });
  return { set, events };
}

test('apply() stops side by side what has to stop: a hundred handlers that hang cost the time of one', async () => {
  const clock = new FakeClock();
  const { set, events } = slowSet(clock);
  const definitions = (version: number) => Array.from({ length: 100 }, (_, n) => ({ name: `w${n}-`, version }));
  await set.apply(definitions(1));
  let isDone = false;
  const applying = set.apply([...definitions(2), { name: 'new-', version: 1 }]).then(() => (isDone = true));
  await clock.advance(STOP_MS + 1);
  expect(isDone).toBe(true);
  await applying;
  expect(set.size).toBe(101);
  expect(events.lastIndexOf('stopped w99-1')).toBeLessThan(events.findLastIndex((one) => one.startsWith('keep')));
  expect(events.findLastIndex((one) => one.startsWith('keep'))).toBeLessThan(events.indexOf('start w0-2'));
});

test('apply() leaves what is defined as before, and starts anew what is not', async () => {
  const clock = new FakeClock();
  const { set, events } = slowSet(clock);
  const [a, b] = [
    { name: 'a', version: 1 },
    { name: 'b', version: 1 },
  ];
  await set.apply([a, b]);
  const applying = set.apply([a, { ...b, version: 2 }]);
  await clock.advance(STOP_MS + 1);
  await applying;
  expect(events).toEqual(['keep a,b', 'start a1', 'start b1', 'stopped b1', 'keep a,b', 'start b2']);
});
