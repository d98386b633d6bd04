import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { type Ran, RunTally } from './run-tally.ts';

const ran = (more: Partial<Ran> = {}): Ran => ({
  node: 'n1',
  watch: 'event a',
  handler: './a.sh',
  ending: 'exit 0',
  ms: 2,
  ...more,
});

function tallied() {
  const clock = new FakeClock();
  const lines: [level: string, text: string, fields: object][] = [];
  const at = (level: string) => (fields: object, text: string) => void lines.push([level, text, fields]);
  return { clock, lines, tally: new RunTally({ clock, log: { debug: at('debug'), info: at('info') } }) };
}

test('RunTally.add() tells the first run at once and the others of its second with one line', async () => {
  const { clock, lines, tally } = tallied();
  tally.add(ran());
  expect(lines).toEqual([['info', 'a handler has run', ran()]]);
  for (let n = 0; n < 99; n++) tally.add(ran({ node: `n${n}`, ms: n }));
  await clock.advance(1_000);
  expect(lines.filter(([level]) => level === 'debug')).toHaveLength(99);
  expect(lines.at(-1)).toEqual(['info', 'more handlers have run', { runs: 99, watches: ['event a'], longestMs: 98 }]);
  tally.add(ran({ watch: 'key b' }));
  expect(lines.at(-1)).toEqual(['info', 'a handler has run', ran({ watch: 'key b' })]);
  await clock.advance(1_000);
  expect([lines.length, clock.pending]).toEqual([102, 0]);
});

test('RunTally.add() gives a run that said something a line of its own', () => {
  const { lines, tally } = tallied();
  tally.add(ran());
  tally.add(ran({ output: 'done' }));
  expect(lines.map(([level, text]) => `${level} ${text}`)).toEqual([
    'info a handler has run',
    'info a handler has run',
  ]);
});

test('RunTally tells what is left when it is disposed of', () => {
  const { clock, lines, tally } = tallied();
  tally.add(ran());
  tally.add(ran());
  tally[Symbol.dispose]();
  expect(lines.at(-1)?.[2]).toEqual({ runs: 1, watches: ['event a'], longestMs: 2 });
  expect(clock.pending).toBe(0);
});
