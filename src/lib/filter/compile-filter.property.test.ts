import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DroverError } from '../errors.ts';
import { compileFilter } from './compile-filter.ts';
import type { FilterExpression, FilterMatch, FilterOperator } from './expression.ts';
import { parseFilter } from './parse-filter.ts';
import type { FilterFields } from './shape.ts';

const SHAPE = {
  Name: 'text',
  Port: 'number',
  Flag: 'flag',
  Tags: 'texts',
  Meta: 'map',
  Addresses: ['map', { Address: 'text', Port: 'number' }],
  Checks: [{ Status: 'text', Tags: 'texts', Port: 'number' }],
  Inner: { Name: 'text', Meta: 'map' },
} as const satisfies FilterFields;

/** Any code units, halves of surrogate pairs among them; fast-check's own take a second to set up. */
const units = fc
  .array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff)), { maxLength: 30 })
  .map((codes) => String.fromCharCode(...codes));

const WORDS = [
  '',
  'a',
  'b',
  'ab',
  'a b',
  'a-b',
  '1',
  '8080',
  'true',
  '"',
  '\\',
  '`',
  'in',
  'é😀',
  '__proto__',
  'a.b',
  '/a',
];
const word = fc.constantFrom(...WORDS);
const port = fc.constantFrom(0, 1, 80, 8080, -1, 1.5);
const map = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Map<string, T>> =>
  fc.array(fc.tuple(word, value), { maxLength: 3 }).map((pairs) => new Map(pairs));

/** Maps stay Maps for the plain evaluator and are objects for the compiled one. */
const row = fc.record({
  Name: word,
  Port: port,
  Flag: fc.boolean(),
  Tags: fc.array(word, { maxLength: 3 }),
  Meta: map(word),
  Addresses: map(fc.record({ Address: word, Port: port })),
  Checks: fc.array(fc.record({ Status: word, Tags: fc.array(word, { maxLength: 2 }), Port: port }), { maxLength: 3 }),
  Inner: fc.record({ Name: word, Meta: map(word) }),
});

type Kind = 'text' | 'number' | 'flag' | 'texts' | 'map' | 'list';

const OPERATORS: Readonly<Record<Kind, readonly FilterOperator[]>> = {
  text: ['equal', 'in', 'empty', 'matches'],
  number: ['equal'],
  flag: ['equal'],
  texts: ['in', 'empty'],
  map: ['in', 'empty'],
  list: ['empty'],
};

const selector: fc.Arbitrary<[steps: string[], kind: Kind]> = fc.oneof(
  fc.constantFrom<[string[], Kind]>(
    [['Name'], 'text'],
    [['Port'], 'number'],
    [['Flag'], 'flag'],
    [['Tags'], 'texts'],
    [['Meta'], 'map'],
    [['Addresses'], 'map'],
    [['Checks'], 'list'],
    [['Checks', 'Status'], 'text'],
    [['Checks', 'Tags'], 'texts'],
    [['Checks', 'Port'], 'number'],
    [['Inner', 'Name'], 'text'],
  ),
  word.map((key): [string[], Kind] => [['Inner', 'Meta', key], 'text']),
  word.map((key): [string[], Kind] => [['Addresses', key, 'Port'], 'number']),
);

const match: fc.Arbitrary<FilterMatch> = selector.chain(([steps, kind]) =>
  fc
    .record({ operator: fc.constantFrom(...OPERATORS[kind]), isNegated: fc.boolean(), word, port, flag: fc.boolean() })
    .map(({ operator, isNegated, ...values }) => {
      const wanted = kind === 'number' ? String(values.port) : kind === 'flag' ? String(values.flag) : values.word;
      // The expression's own specials stay out of the pattern: what it means is RE2's affair.
      const value =
        operator === 'empty' ? '' : operator === 'matches' ? `^${wanted.replaceAll(/[\\"`.]/g, '')}` : wanted;
      return { type: 'match', selector: { steps, text: '' }, operator, isNegated, value };
    }),
);

const { expression } = fc.letrec<{ expression: FilterExpression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    match,
    fc.record({ type: fc.constant('not' as const), part: tie('expression') }),
    fc.record({
      type: fc.constantFrom('and' as const, 'or' as const),
      parts: fc.array(tie('expression'), { minLength: 2, maxLength: 4 }),
    }),
  ),
}));

/** How much brackets it needs: `or` least, then `and`, then `not`. */
const RANK = { or: 0, and: 1, not: 2, match: 3 } as const;

function printed(node: FilterExpression, least = 0): string {
  const text = node.type === 'match' ? printedMatch(node) : printedInner(node);
  return RANK[node.type] < least ? `(${text})` : text;
}

function printedInner(node: Exclude<FilterExpression, FilterMatch>): string {
  if (node.type === 'not') return `not ${printed(node.part, 2)}`;
  return node.parts.map((part) => printed(part, RANK[node.type] + 1)).join(` ${node.type} `);
}

function printedMatch({ selector: { steps }, operator, isNegated, value }: FilterMatch): string {
  const [first, ...rest] = steps;
  const field = `${first}${rest.map((step) => (/^[A-Za-z]\w*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`)).join('')}`;
  const not = isNegated ? 'not ' : '';
  if (operator === 'empty') return `${field} is ${not}empty`;
  if (operator === 'equal') return `${field} ${isNegated ? '!=' : '=='} ${valueText(value)}`;
  if (operator === 'matches') return `${field} ${not}matches ${valueText(value)}`;
  return value.length % 2 === 0
    ? `${valueText(value)} ${not}in ${field}`
    : `${field} ${not}contains ${valueText(value)}`;
}

function valueText(value: string): string {
  if (/^\w+$/.test(value) && value.length > 3) return value;
  return value.includes('`') || value.length % 2 === 0 ? JSON.stringify(value) : `\`${value}\``;
}

/** What an expression says of a row, straight from its tree. */
function says(node: FilterExpression, of: unknown): boolean {
  if (node.type === 'not') return !says(node.part, of);
  if (node.type !== 'match') return node.parts[node.type === 'and' ? 'every' : 'some']((part) => says(part, of));
  return valuesAt(of, node.selector.steps).some((value) => holds(node, value) !== node.isNegated);
}

function valuesAt(value: unknown, [step, ...rest]: readonly string[]): unknown[] {
  if (step === undefined) return [value];
  if (Array.isArray(value)) return value.flatMap((element) => valuesAt(element, [step, ...rest]));
  if (value instanceof Map) return valuesAt(value.get(step), rest);
  return valuesAt((value as Record<string, unknown> | undefined)?.[step], rest);
}

function holds({ operator, value: wanted, selector: { steps } }: FilterMatch, value: unknown): boolean {
  const isPort = steps.at(-1) === 'Port';
  if (operator === 'equal')
    return String((value as string | number | boolean | undefined) ?? (isPort ? 0 : '')) === wanted;
  if (value instanceof Map) return operator === 'empty' ? value.size === 0 : value.has(wanted);
  const some = (value ?? '') as string | readonly string[];
  if (operator === 'empty') return some.length === 0;
  return operator === 'in' ? some.includes(wanted) : (some as string).startsWith(wanted.slice(1));
}

function asObjects(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [key, asObjects(each)]));
  if (Array.isArray(value)) return value.map(asObjects);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, asObjects(each)]));
}

test('compileFilter() says of any row what the expression that was printed says', () => {
  fc.assert(
    fc.property(expression, fc.array(row, { minLength: 1, maxLength: 4 }), (tree, rows) => {
      fc.pre(printed(tree).split(' matches ').length <= 16);
      const matches = compileFilter(printed(tree), SHAPE);
      for (const one of rows) expect(matches(asObjects(one))).toBe(says(tree, one));
    }),
    { numRuns: 150 },
  );
});

test('compileFilter() throws an error of its own or nothing for any text', () => {
  const token = fc.constantFrom(
    'Name',
    'Tags',
    'Meta',
    '.',
    '[',
    ']',
    '"a"',
    '"',
    '`',
    '(',
    ')',
    '==',
    '!=',
    'not',
    'and',
    'or',
    'in',
    'is',
    'empty',
    'matches',
    'contains',
    '1',
    '\\',
    '/',
  );
  const texts = fc.oneof(
    units,
    fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(' ')),
  );
  fc.assert(
    fc.property(texts, row, (text, one) => {
      try {
        expect(compileFilter(text, SHAPE)(asObjects(one))).toBeTypeOf('boolean');
      } catch (error) {
        expect(error).toBeInstanceOf(DroverError);
      }
    }),
    { numRuns: 150 },
  );
});

test('parseFilter() gives the tree that was printed', () => {
  const bare = (node: FilterExpression): unknown => {
    if (node.type === 'match') return [node.selector.steps, node.operator, node.isNegated, node.value];
    return node.type === 'not' ? ['not', bare(node.part)] : [node.type, ...node.parts.map(bare)];
  };
  // Two `not` in a row are none.
  const folded = (node: FilterExpression): FilterExpression => {
    if (node.type === 'match') return node;
    if (node.type !== 'not') return { type: node.type, parts: node.parts.map(folded) };
    const part = folded(node.part);
    return part.type === 'not' ? part.part : { type: 'not', part };
  };
  fc.assert(
    fc.property(expression, (tree) => {
      fc.pre(printed(tree).split(' matches ').length <= 16);
      expect(bare(parseFilter(printed(tree)))).toEqual(bare(folded(tree)));
    }),
  );
});
