import { expect, test } from 'vitest';
import type { Found, ProbeTarget } from './findings.ts';
import { Prober } from './prober.ts';
import { Probes } from './silence.ts';

const TARGETS: readonly ProbeTarget[] = [{ id: 'api', address: '10.0.0.1', port: 81 }];

/** A prober that reaches nobody itself; `words` are what the only witness says in each round, null: nothing in time. */
function proberOf(words: (Found | null)[], own: Found = 'silent', witnesses: readonly string[] = ['n2']): Prober {
  return new Prober({
    probe: () => Promise.resolve(own),
    ask: () => {
      const word = words.shift() ?? null;
      return word === null ? Promise.reject(new Error('no answer')) : Promise.resolve([word]);
    },
    witnesses: () => witnesses,
    random: () => 0.5,
    debug: () => undefined,
  });
}

/** What is known after each of so many rounds. */
async function known(prober: Prober, rounds: number): Promise<(string | null)[]> {
  const probes = new Probes();
  const seen: (string | null)[] = [];
  for (let round = 0; round < rounds; round++) {
    probes.take(await prober.look('n1', TARGETS, 1_000));
    seen.push(probes.findings?.get('api') ?? null);
  }
  return seen;
}

test('one round in which the witness had no word accuses nobody; a second one after it does', async () => {
  expect(await known(proberOf(['accepts', null, 'accepts', null, null]), 5)).toEqual([
    'answers',
    'answers',
    'answers',
    'answers',
    'unseen',
  ]);
  expect(await known(proberOf([null, null]), 2)).toEqual([null, 'unseen']);
});

test('what a witness does not reach either, what refuses, and what nobody else can look at counts at once', async () => {
  expect(await known(proberOf(['silent']), 1)).toEqual(['silent']);
  expect(await known(proberOf([null], 'refuses'), 1)).toEqual(['refused']);
  expect(await known(proberOf([], 'silent', []), 1)).toEqual(['unseen']);
});
