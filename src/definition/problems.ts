import { DroverError, formatPlace } from '../lib/index.ts';
import { definitionSeveral } from './errors.ts';

/** In the one-line text of an error that stands for several, so many are spelled out. */
const SPELLED_OUT = 3;

/**
 * Throws what is wrong: a single problem as itself, several as one error that carries them all.
 *
 * @throws the problem, or DEFINITION_INVALID with `problems`
 */
export function throwAll(problems: readonly DroverError[]): never {
  const [first] = problems;
  if (first === undefined) throw new TypeError('throwAll() needs a problem');
  if (problems.length === 1) throw first;
  const flat = problems.flatMap((problem) => (problem.problems.length > 0 ? problem.problems : [problem]));
  throw definitionSeveral.with({ problems: flat, cause: first }, summary(flat));
}

function summary(problems: readonly DroverError[]): string {
  const texts = problems.slice(0, SPELLED_OUT).map((problem) => {
    const place = formatPlace(problem.place?.line === undefined ? undefined : problem.place);
    return place === '' ? problem.message : `${place}: ${problem.message}`;
  });
  const left = problems.length - texts.length;
  return `${problems.length} problems: ${texts.join('; ')}${left > 0 ? `; and ${left} more` : ''}`;
}

/** Nobody reads more, and whoever sends a file of nothing but mistakes is not worked for any longer. */
export const MOST_PROBLEMS = 100;

/** Runs each task, collecting what they throw, and throws everything at the end, or the first hundred at once. */
export function collectProblems<T, R>(items: Iterable<T>, task: (item: T) => R): R[] {
  const results: R[] = [];
  const problems: DroverError[] = [];
  for (const item of items) {
    try {
      results.push(task(item));
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
      problems.push(error);
      if (problems.length === MOST_PROBLEMS) break;
    }
  }
  return problems.length === 0 ? results : throwAll(problems);
}
