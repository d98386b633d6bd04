import { expect, test } from 'vitest';
import { SaidRefusals } from './said-refusals.ts';

test('SaidRefusals.say() says each reason once, and again after the node was taken', () => {
  const said: string[] = [];
  const refusals = new SaidRefusals((text) => said.push(text));
  for (const reason of ['one', 'one', 'other', 'other']) refusals.say('a', new Error(reason));
  refusals.forget('a');
  refusals.say('a', new Error('other'));
  refusals.say('b\n', new Error('other'));
  expect(said).toEqual([
    'an agent that greets for node "a" is refused: one',
    'an agent that greets for node "a" is refused: other',
    'an agent that greets for node "a" is refused: other',
    'an agent that greets for node "b\\n" is refused: other',
  ]);
});

test('SaidRefusals.say() goes on when thousands of names are refused', () => {
  let count = 0;
  const refusals = new SaidRefusals(() => count++);
  for (let at = 0; at < 2_500; at++) refusals.say(`n${at}`, new Error('no'));
  expect(count).toBe(2_500);
});
