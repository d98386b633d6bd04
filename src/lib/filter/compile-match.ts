import { LinearPattern } from '../linear-pattern.ts';
import { badFilter } from './errors.ts';
import type { FilterMatch, FilterOperator } from './expression.ts';
import { type FieldStep, findField, isList, isMap } from './find-field.ts';
import type { FilterFields, FilterShape } from './shape.ts';

type Test = (value: unknown) => boolean;

/** One comparison as a function of a row. Of a list on the way any element may match. @throws as `compileFilter` */
export function compileMatch(match: FilterMatch, shape: FilterFields): Test {
  const field = findField(match.selector, shape);
  const test = testOf(match, field.shape);
  return follow(field.steps, match.isNegated ? (value) => !test(value) : test);
}

function follow(steps: readonly FieldStep[], test: Test): Test {
  let then = test;
  for (const step of steps.toReversed()) then = stepped(step, then);
  return then;
}

function stepped(step: FieldStep, then: Test): Test {
  if (step.type === 'each') return (list) => Array.isArray(list) && list.some((element) => then(element));
  const { name } = step;
  if (step.type === 'field') return (row) => then((row as Record<string, unknown> | undefined)?.[name]);
  return (map) => then(isObject(map) && Object.hasOwn(map, name) ? (map as Record<string, unknown>)[name] : undefined);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** By kind of field, what can be asked of it; a missing value is empty, zero or false. */
function testOf(match: FilterMatch, shape: FilterShape): Test {
  const test = TESTS[kindOf(shape)][match.operator];
  if (test !== undefined) return test(match.value, match);
  const { selector, operator, isNegated } = match;
  const shown = NAMES[operator][isNegated ? 1 : 0];
  throw badFilter(
    `Invalid match operator ${JSON.stringify(shown)} for selector ${JSON.stringify(selector.text.slice(0, 80))}: ` +
      `it takes ${operatorsOf(shape)}`,
  );
}

const NAMES: Readonly<Record<FilterOperator, readonly [string, string]>> = {
  equal: ['Equal', 'Not Equal'],
  in: ['In', 'Not In'],
  empty: ['Is Empty', 'Is Not Empty'],
  matches: ['Matches', 'Not Matches'],
};

function operatorsOf(shape: FilterShape): string {
  const operators = Object.keys(TESTS[kindOf(shape)]) as FilterOperator[];
  return operators.length === 0 ? 'none, name a field of it' : operators.flatMap((one) => NAMES[one]).join(', ');
}

type Kind = 'text' | 'number' | 'flag' | 'texts' | 'map' | 'list' | 'fields';

function kindOf(shape: FilterShape): Kind {
  if (typeof shape === 'string') return shape;
  if (isList(shape)) return 'list';
  return isMap(shape) ? 'map' : 'fields';
}

type TestOf = (value: string, match: FilterMatch) => Test;

const isEmptyList: TestOf = () => (list) => listOf(list).length === 0;

const TESTS: Readonly<Record<Kind, Partial<Record<FilterOperator, TestOf>>>> = {
  text: {
    equal: (value) => (text) => (text ?? '') === value,
    in: (value) => (text) => textOf(text).includes(value),
    empty: () => (text) => textOf(text) === '',
    matches: (value) => {
      const pattern = new LinearPattern(value);
      return (text) => pattern.test(textOf(text));
    },
  },
  number: {
    equal: (value, match) => {
      const wanted = numberOf(value, match);
      return (number) => (number ?? 0) === wanted;
    },
  },
  flag: {
    equal: (value, match) => {
      const wanted = flagOf(value, match);
      return (flag) => (flag ?? false) === wanted;
    },
  },
  texts: { in: (value) => (list) => listOf(list).includes(value), empty: isEmptyList },
  map: {
    in: (value) => (map) => isObject(map) && Object.hasOwn(map, value),
    empty: () => (map) => !isObject(map) || Object.keys(map).length === 0,
  },
  list: { empty: isEmptyList },
  fields: {},
};

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Go's notation of integers and decimals. */
function numberOf(value: string, { selector }: FilterMatch): number {
  const isNumber = /^[+-]?(?:0x[\da-f]+|0o[0-7]+|0b[01]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/i.test(value);
  if (!isNumber) throw badValue('a number', value, selector.text);
  const isNegative = value.startsWith('-');
  const number = Number(value.replace(/^[+-]/, ''));
  return isNegative ? -number : number;
}

/** Go's booleans. */
function flagOf(value: string, { selector }: FilterMatch): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  throw badValue('true or false', value, selector.text);
}

function badValue(kind: string, value: string, selector: string): Error {
  const shown = JSON.stringify(value.slice(0, 40));
  return badFilter(`Selector ${JSON.stringify(selector.slice(0, 80))} is compared with ${kind}, not with ${shown}`);
}
