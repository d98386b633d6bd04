import { describe, expect, test } from 'vitest';
import type { DroverError } from '../lib/index.ts';
import { definitionInvalid, definitionSyntax } from './errors.ts';
import { collectProblems, throwAll } from './problems.ts';

function thrownBy(run: () => unknown): DroverError {
  try {
    run();
  } catch (error) {
    return error as DroverError;
  }
  throw new Error('nothing was thrown');
}

const at = (line: number): DroverError => definitionSyntax.with({ place: { file: 'a', line, column: 1 } }, `p${line}`);

describe('throwAll()', () => {
  test('throws a single problem as itself', () => {
    const problem = at(1);
    expect(thrownBy(() => throwAll([problem]))).toBe(problem);
  });

  test('throws several as one error with exit status 2 that spells out the first three', () => {
    const error = thrownBy(() => throwAll([at(1), definitionInvalid('x'), at(3), at(4), at(5)]));
    expect(error).toMatchObject({ code: 'DEFINITION_INVALID', status: 400, exitCode: 2 });
    expect(error.message).toBe('5 problems: a:1:1: p1; x; a:3:1: p3; and 2 more');
    expect(error.problems).toHaveLength(5);
  });

  test('flattens errors that stand for several themselves', () => {
    const inner = thrownBy(() => throwAll([at(1), at(2)]));
    expect(thrownBy(() => throwAll([inner, at(3)])).problems.map(({ message }) => message)).toEqual(['p1', 'p2', 'p3']);
  });

  test('refuses to throw nothing', () => {
    expect(() => throwAll([])).toThrow(TypeError);
  });
});

describe('collectProblems()', () => {
  test('gives every result when nothing is wrong', () => {
    expect(collectProblems([1, 2], (item) => item * 2)).toEqual([2, 4]);
  });

  test('runs every task before it throws', () => {
    const seen: number[] = [];
    const error = thrownBy(() =>
      collectProblems([1, 2, 3], (item) => {
        seen.push(item);
        if (item !== 2) throw at(item);
      }),
    );
    expect(seen).toEqual([1, 2, 3]);
    expect(error.problems).toHaveLength(2);
  });

  test('lets an error that is none of ours through at once', () => {
    expect(() =>
      collectProblems([1], () => {
        throw new RangeError('bug');
      }),
    ).toThrow(RangeError);
  });
});

test('collectProblems() gives up at the hundredth problem', () => {
  let asked = 0;
  const refuse = (): never => {
    asked++;
    throw definitionSyntax('x');
  };
  expect(() => collectProblems(Array.from({ length: 10_000 }), refuse)).toThrow(/^100 problems/);
  expect(asked).toBe(100);
});
